// The table of two recordings beside each other: a row a value or a gradient; pressing one leads to its step.

const SIGNS = { above: "≠", within: "✓", alike: "≈", unknown: "–" };

function part(tag, properties, ...children) {
  const element = document.createElement(tag);
  const { on, ...others } = properties;
  for (const [name, value] of Object.entries(others)) if (value !== null) element.setAttribute(name, value);
  if (on) element.onclick = on;
  element.append(...children);
  return element;
}

function mountContrast(root, data, go) {
  const { words, sides, rows } = data;
  const before = root.chosen ?? { above: false, largest: false };
  root.chosen = before;
  root.lang = data.language;
  root.dataset.theme = themeAround(root);

  const body = part("tbody", {});
  const none = part("p", { class: "none" }, words.none);
  const row = ([what, name, one, two, difference, relative, state, , step, begins]) => {
    const lead = step === null ? null : () => go(step);
    const title = [part("span", { class: "what" }, words[what]), part("span", { class: "name" }, name)];
    return part(
      "tr",
      { class: [what, state, begins ? "begins" : "", lead ? "leads" : ""].join(" ").trim(), on: lead, title: lead && words.show },
      part("td", { class: "sign" }, part("span", { "aria-hidden": "true" }, SIGNS[state]), part("span", { class: "hidden" }, words[`is_${state}`])),
      part("td", {}, lead ? part("button", { type: "button" }, ...title) : part("span", {}, ...title)),
      part("td", { class: "number" }, one),
      part("td", { class: "number" }, two),
      part("td", { class: relative ? "number" : "number unknown" }, difference),
      part("td", { class: "number relative" }, relative),
    );
  };
  const fill = () => {
    let shown = before.above ? rows.filter(([, , , , , , state]) => state === "above") : rows;
    if (before.largest) shown = [...shown].sort((one, other) => other[7] - one[7]);
    body.replaceChildren(...shown.map(row));
    none.hidden = shown.length > 0;
  };
  const choice = (name, word) => {
    const box = part("input", { type: "checkbox" });
    box.checked = before[name];
    box.onchange = () => { before[name] = box.checked; fill(); };
    return part("label", {}, box, word);
  };
  const heads = [[words.where, ""], ...sides.map((side) => [side, "number"]), [words.difference, "number"], [words.relative, "number"]];
  const head = part("tr", {}, part("th", {}, part("span", { class: "hidden" }, words.is_above)), ...heads.map(([word, kind]) => part("th", { class: kind || null, scope: "col" }, word)));
  root.replaceChildren(
    part("div", { class: "choices" }, choice("above", words.only_above), choice("largest", words.largest_first)),
    part("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words.table }, part("table", {}, part("thead", {}, head), body)),
    none,
    ...(data.more ? [part("p", { class: "more" }, data.more)] : []),
  );
  fill();
}
