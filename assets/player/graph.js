// The graph panel: the picture, moved and scaled; boxes and wires marked as steps go by; another picture put in its place.

import { button, h } from "./dom.js";
import { severityIcon } from "./findings.js";
import { foldLayer } from "./folds.js";
import { glide, placesOf } from "./glide.js";
import { lights } from "./lights.js";
import { minimap } from "./minimap.js";
import { moves } from "./moves.js";
import { legendOf, paint, thicken } from "./overlay.js";
import { sceneOf } from "./scene.js";
import { SIGNS } from "./verification.js";

const READABLE = 1;
const LEGIBLE = 0.62; // smaller, and what stands in a box can only be guessed
const BOX = /^[nms]\d+(c\d+)?$/; // a node, a closed module (its call), a run of neighbours: how the drawing calls its boxes

// `onbox` is told which box was pressed, `ask` which act on modules; `tools` stands above the picture.
export function graphPanel(data, { words, onbox, ask, dark, tools }) {
  const stage = h("div", { class: "stage" });
  const notice = h("p", { class: "notice over", role: "status" });
  const legend = h("p", { class: "legend", "aria-hidden": "true" });
  const room = h("div", { class: "view", tabindex: "0", "aria-label": words.graph }, stage, notice, legend);
  const element = h("section", { class: "panel graph", "aria-label": words.graph }, tools, room);
  const view = { x: 0, y: 0, scale: 1, placed: false };
  let kept = false; // where the person had moved to before the player was built anew
  let scene = null;
  let folds = null;
  let begin = null; // the box that is to be seen first
  let painted = null; // the overlay
  let marked = [];
  const lit = lights(data);

  let measured = null; // until the panel changes
  const size = () => (measured ??= { width: room.clientWidth, height: room.clientHeight });
  const map = minimap(words, { onmove: (x, y) => centre(x, y, false) });
  // While it moves, the picture is a layer that is drawn once; when it rests it is drawn anew, sharp.
  let resting = null;
  const apply = (smooth) => {
    stage.classList.toggle("glide", Boolean(smooth));
    stage.classList.add("moving");
    clearTimeout(resting);
    resting = setTimeout(() => stage.classList.remove("moving"), 260);
    stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    if (scene) map.frame(view, size());
  };
  const scaleAt = (x, y, factor) => {
    const scale = Math.min(6, Math.max(0.03, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    apply();
  };
  const fitScale = () => Math.min((size().width - 24) / scene.width, (size().height - 24) / scene.height);
  const centre = (x, y, smooth) => {
    view.x = size().width / 2 - x * view.scale;
    view.y = size().height / 2 - y * view.scale;
    apply(smooth);
  };
  const fit = (smooth = true) => {
    if (!scene) return;
    view.scale = Math.min(1.6, fitScale());
    centre(scene.width / 2, scene.height / 2, smooth);
  };
  // No further than needed, so that the picture stays still while one can see the box.
  const follow = (id, { force = false } = {}) => {
    const box = id && scene?.byId.has(id) ? scene.rectangle(id) : null;
    if (!box || !size().width) return undefined;
    if (force) view.scale = Math.max(view.scale, READABLE);
    if (force) return centre(box.x + box.width / 2, box.y + Math.min(box.height, size().height / view.scale) / 2, true);
    const dx = inward(box.x * view.scale + view.x, box.width * view.scale, size().width);
    const dy = inward(box.y * view.scale + view.y, box.height * view.scale, size().height);
    if (dx || dy) { view.x += dx; view.y += dy; apply(true); }
    return undefined;
  };
  const find = (id) => follow(id, { force: view.scale < LEGIBLE });
  const topmost = () => [...scene.nodesOf.keys()].filter((id) => scene.byId.has(id))
    .reduce((one, other) => (scene.rectangle(other).y < scene.rectangle(one).y ? other : one));
  const start = (id) => {
    measured = null;
    begin = id ?? begin;
    if (view.placed || !scene || !size().width) return;
    view.placed = true;
    if (kept) return apply();
    if (fitScale() >= LEGIBLE) return fit(false);
    view.scale = READABLE;
    const box = scene.rectangle(begin && scene.byId.has(begin) ? begin : topmost());
    const wide = scene.width * view.scale > size().width;
    return centre(wide ? box.x + box.width / 2 : scene.width / 2, Math.max(box.y + box.height / 2, size().height / 2 - 20), false);
  };

  // What stays under the eye when the picture changes: the module that was pressed, else the box nearest to the middle.
  const onScreen = ({ x, y, width, height }) => ({ x: x * view.scale + view.x, y: y * view.scale + view.y, width: width * view.scale, height: height * view.scale });
  const anchorOf = (ids) => {
    const named = ids.find((id) => scene.byId.has(id));
    if (named) return { ids, ...onScreen(scene.rectangle(named)) };
    const { width, height } = size();
    let best = null;
    for (const id of scene.nodesOf.keys()) {
      if (!scene.byId.has(id)) continue;
      const at = onScreen(scene.rectangle(id));
      const far = Math.hypot(at.x + at.width / 2 - width / 2, at.y + at.height / 2 - height / 2);
      if (!best || far < best.far) best = { far, ids: [id, `cluster_${id}`], ...at };
    }
    return best;
  };
  let anchor = [];

  const point = (ids) => {
    for (const one of scene?.svg.querySelectorAll(".match") ?? []) one.classList.remove("match");
    for (const id of ids) scene?.byId.get(id)?.classList.add("match");
  };
  const legends = () => {
    if (!scene) return legend.replaceChildren();
    const grave = ["error", "warning"].filter((severity) => scene.svg.querySelector(`g.${severity}`));
    return legend.replaceChildren(...[
      painted ? legendOf(painted, words) : [h("span", { class: "value" }, words.value), h("span", { class: "gradient" }, words.gradient)],
      ...Object.keys(SIGNS).filter((verdict) => scene.svg.querySelector(`g.${verdict}`)).map((verdict) => h("span", { class: "sign" }, `${SIGNS[verdict]} ${words[`verdict_${verdict}`]}`)),
      ...grave.map((severity) => h("span", { class: `sign ${severity}` }, severityIcon(severity), words[severity])),
    ].flat());
  };
  let wearing = null; // the colours that were asked for last: the numbers behind them may still be on their way
  const overlay = (name) => {
    wearing = name;
    if (name) return data.book.measures((measures) => { if (wearing === name) { painted = paint(data, scene, name, dark, measures); legends(); } });
    painted = paint(data, scene, null, dark, {});
    return legends();
  };

  // The old picture goes, the new one comes; `painting` is the overlay that it wears.
  let thick = false;
  const load = (picture, painting) => {
    const next = data.book.count.nodes ? sceneOf(data, picture, dark) : null;
    if (!next) {
      room.append(h("p", { class: "empty" }, data.book.count.nodes ? words.no_picture : words.no_steps));
      return;
    }
    const focused = folds?.focused() ?? null;
    const before = scene && view.placed ? { held: anchorOf(anchor), places: placesOf(scene, onScreen) } : null;
    scene = next;
    marked = [];
    const { svg } = scene;
    svg.setAttribute("width", scene.width);
    svg.setAttribute("height", scene.height);
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", words.graph_of.replace("{count}", scene.boxOf.length));
    svg.querySelector("g.graph")?.setAttribute("aria-hidden", "true");
    stage.replaceChildren(svg);
    folds = foldLayer(scene, { words, room, ask: (act, ids) => { anchor = ids; ask(act); }, place: (id) => onScreen(scene.rectangle(id)) });
    map.load(scene, dark);
    if (before?.held) {
      const there = before.held.ids.find((id) => scene.byId.has(id));
      const { x, y, width } = there ? onScreen(scene.rectangle(there)) : before.held;
      view.x += before.held.x + before.held.width / 2 - (x + width / 2);
      view.y += before.held.y - y;
      apply();
      glide(scene, before.places, onScreen, view.scale, size());
    }
    anchor = [];
    overlay(painting);
    if (thick) thicken(data, () => scene, true);
    lit.on(scene);
    folds.focus(focused);
    notice.textContent = picture.said ?? "";
    start();
  };

  moves(room, { pan: (dx, dy) => { view.x += dx; view.y += dy; apply(); }, scaleAt, onclick: (event) => {
    if (!scene || folds.pressed(event)) return null;
    for (let group = event.target.closest("g[id]"); group && group !== scene.svg; group = group.parentElement.closest("g[id]")) {
      if (BOX.test(group.id)) return onbox(group.id, event.shiftKey);
    }
    return null;
  } });
  const zoom = (factor) => scaleAt(size().width / 2, size().height / 2, factor);
  room.append(h("div", { class: "zoom over" },
    button("plus", words.zoom_in, () => zoom(1.25)), button("minus", words.zoom_out, () => zoom(0.8)), button("fit", words.fit, () => fit())), map.element);

  return {
    element, fit, zoom, start, follow, find, load, overlay,
    room,
    scene: () => scene,
    thicken: (on) => { if (on !== thick) { thick = on; thicken(data, () => scene, on); } },
    light: (what) => lit.show(what),
    mark: (nodes) => point(nodes.map((node) => scene?.boxOf[node])), // what a search has found so far
    point: (id) => point([id]),
    keep: (ids) => { anchor = ids; },
    busy: (on) => room.setAttribute("aria-busy", String(on)),
    tell: (said) => { notice.textContent = said; },
    closeMenu: () => folds?.closeMenu() ?? false,
    view: () => ({ ...view }),
    restore: (old) => { Object.assign(view, old, { placed: false }); kept = Boolean(old.placed); apply(); },
    show({ k, now, reads, writes, wires, side }) {
      if (!scene) return;
      const { byId, labels } = scene;
      scene.changes.to(k);
      for (const [one, name] of marked) one.classList.remove(name);
      marked = [];
      const mark = (one, name) => {
        if (!one) return;
        one.classList.add(name);
        marked.push([one, name]);
      };
      for (const id of reads) if (id !== now) mark(byId.get(id), "read");
      for (const id of writes) if (id !== now) mark(byId.get(id), `written-${side}`);
      for (const wire of wires) {
        mark(byId.get(wire), `carries-${side}`);
        mark(labels.of(wire, side), "there");
      }
      mark(byId.get(now), `now-${side}`);
      map.now(now, side);
    },
  };
}

// How far a stretch from `start` has to move to lie inside 0..room: nothing if it does, else with room for its neighbours.
function inward(start, length, room) {
  const near = 6;
  const wanted = Math.min(90, Math.max(near, (room - length) / 2));
  if (start < near) return wanted - start;
  return start + length > room - near ? Math.max(room - wanted - length - start, near - start) : 0;
}
