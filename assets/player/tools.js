// The strip above the picture: search, back, open and close all, which way it flows, colours, and what stands out.

import { button, h } from "./dom.js";
import { searchBox } from "./search.js";

const OVERLAYS = ["gradient", "value", "time", "memory"];

export function graphTools(data, { words, ask, undo, onfind, onsee, onoverlay, onthick, onlens, onaround }) {
  const search = searchBox(data, { words, onfind, onsee });
  const buttons = {
    undo: button("undo", words.undo, undo),
    all: button("unfold_all", words.unfold_all, () => ask({ all: true })),
    first: button("fold_all", words.fold_all, () => ask({ first: true })),
    thick: button("thick", words.thick, onthick, { "aria-pressed": "false" }),
    flow: button("flow", words.flow_right, () => ask({ flow: buttons.flow.dataset.to })),
  };
  const known = OVERLAYS.filter((name) => data.book.overlays.includes(name));
  const overlay = h("select", { class: "choose", "aria-label": words.overlay, title: words.overlay, onchange: () => onoverlay(overlay.value || null) },
    h("option", { value: "" }, words.overlay_off), known.map((name) => h("option", { value: name }, words[`overlay_${name}`])));
  const classes = classCounts(data);
  const around = h("optgroup", { label: words.around }, [1, 2, 4].map((hops) => h("option", { value: `around ${hops}` }, words[`around_${hops}`])));
  const lens = h("select", { class: "choose", "aria-label": words.lens, title: words.lens, onchange: () => {
    const [kind, ...rest] = lens.value.split(" ");
    if (kind === "around") onaround(Number(rest[0]));
    else onlens(kind === "class" ? { kind, name: rest.join(" ") } : kind ? { kind } : null);
  } },
    h("option", { value: "" }, words.lens_off),
    h("option", { value: "lineage" }, words.lens_lineage),
    data.book.some((node) => data.book.kind(node) === "parameter") && h("option", { value: "reaches" }, words.lens_reaches),
    h("option", { value: "flow" }, words.lens_flow),
    around,
    classes.length > 0 && h("optgroup", { label: words.lens_class }, classes.map(([name, count]) => h("option", { value: `class ${name}` }, `${name} (${count})`))));
  const element = h("div", { class: "tools", role: "toolbar", "aria-label": words.tools },
    search.element, h("div", { class: "buttons" }, buttons.undo, buttons.all, buttons.first, buttons.flow, data.book.source.some((_, edge) => data.book.carries(edge)) && buttons.thick), known.length > 0 && overlay, lens);
  return {
    element, search,
    show({ folding, first, foldable, undoable, painted, thick, shown }) {
      buttons.thick.setAttribute("aria-pressed", String(thick));
      buttons.undo.disabled = !undoable;
      buttons.all.disabled = !foldable || (folding?.all === true && folding.ids.length === 0);
      buttons.first.disabled = first;
      const right = folding?.flow === "right";
      buttons.flow.dataset.to = right ? "down" : "right";
      buttons.flow.classList.toggle("right", right);
      const text = right ? words.flow_down : words.flow_right;
      buttons.flow.title = text;
      buttons.flow.setAttribute("aria-label", text);
      overlay.value = painted ?? "";
      lens.value = folding && folding.focus !== null ? `around ${[1, 2, 4].includes(folding.hops) ? folding.hops : 1}`
        : !shown ? "" : shown.kind === "class" ? `class ${shown.name}` : shown.kind === "flow" ? "flow" : shown.kind === "reaches" ? "reaches" : "lineage";
    },
  };
}

function classCounts(data) {
  const counts = new Map();
  for (const [, , name] of data.frames) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0])).slice(0, 40);
}
