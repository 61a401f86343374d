// The graph panel: the drawing, moved and scaled; boxes and wires marked as steps go by.

import { brief, isNumber, shapeText } from "./format.js";
import { button, h, s } from "./dom.js";
import { severityIcon } from "./findings.js";
import { SIGNS } from "./verification.js";
import { safePicture } from "./picture.js";

const READABLE = 1;
const LEGIBLE = 0.62; // smaller, and what stands in a box can only be guessed
const BOX = /^[nms]\d+(c\d+)?$/; // a node, a closed module, a run of neighbours: how the drawing calls its boxes

export function graphPanel(data, { words, onbox, at, dark }) {
  const colors = dark ? data.picture.colors.dark : {};
  const picture = safePicture(data.picture.svg, colors);
  const stage = h("div", { class: "stage" });
  const panel = h("section", { class: "panel graph", tabindex: "0", "aria-label": words.graph }, stage);
  if (!picture || !data.nodes.length) {
    panel.append(h("p", { class: "empty" }, data.nodes.length ? words.no_picture : words.no_steps));
    return { element: panel, show() {}, fit() {}, follow() {}, find() {}, start() {}, settle() {}, zoom() {}, restore() {}, view: () => null };
  }
  const { width, height } = data.picture;
  picture.setAttribute("width", width);
  picture.setAttribute("height", height);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words.graph_of.replace("{count}", data.nodes.length));
  stage.append(picture);
  const byId = new Map([...picture.querySelectorAll("g[id]")].map((element) => [element.id, element]));
  const view = { x: 0, y: 0, scale: 1, placed: false };
  let kept = false; // where the person had moved to before the player was built anew
  const rectangles = new Map();
  const changes = timeline(data, byId, at, colors);
  const labels = wireLabels(data, picture, byId);

  const apply = (glide) => {
    stage.classList.toggle("glide", Boolean(glide));
    stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  };
  const size = () => ({ width: panel.clientWidth, height: panel.clientHeight });
  const rectangle = (id) => {
    if (!rectangles.has(id)) rectangles.set(id, placeOf(byId.get(id)));
    return rectangles.get(id);
  };
  const scaleAt = (x, y, factor) => {
    const scale = Math.min(6, Math.max(0.03, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    apply();
  };
  const fitScale = () => Math.min((size().width - 24) / width, (size().height - 24) / height);
  const centre = (x, y, glide) => {
    view.x = size().width / 2 - x * view.scale;
    view.y = size().height / 2 - y * view.scale;
    apply(glide);
  };
  const fit = (glide = true) => {
    view.scale = Math.min(1.6, fitScale());
    centre(width / 2, height / 2, glide);
  };
  // No further than needed, so that the picture stays still while one can see the box.
  const follow = (id, { force = false } = {}) => {
    const box = id && byId.has(id) ? rectangle(id) : null;
    if (!box || !size().width) return undefined;
    if (force) view.scale = Math.max(view.scale, READABLE);
    if (force) return centre(box.x + box.width / 2, box.y + box.height / 2, true);
    const dx = inward(box.x * view.scale + view.x, box.width * view.scale, size().width);
    const dy = inward(box.y * view.scale + view.y, box.height * view.scale, size().height);
    if (dx || dy) { view.x += dx; view.y += dy; apply(true); }
    return undefined;
  };
  const find = (id) => follow(id, { force: view.scale < LEGIBLE });
  const topmost = () => [...new Set(data.boxes)].filter((id) => byId.has(id)).reduce((one, other) => (rectangle(other).y < rectangle(one).y ? other : one));
  let ownFont = false;
  const settle = () => {
    if (ownFont) for (const text of picture.querySelectorAll("text[textLength]")) text.removeAttribute("textLength");
    settleText(picture);
    rectangles.clear();
  };
  const start = (id) => {
    if (view.placed || !size().width) return;
    view.placed = true;
    settle();
    if (kept) return;
    if (fitScale() >= LEGIBLE) fit(false);
    else {
      view.scale = READABLE;
      const box = rectangle(id && byId.has(id) ? id : topmost());
      centre(box.x + box.width / 2, Math.max(box.y + box.height / 2, size().height / 2 - 20), false);
    }
  };

  moves(panel, { pan: (dx, dy) => { view.x += dx; view.y += dy; apply(); }, scaleAt, onclick: (target) => {
    const group = target.closest("g[id]");
    for (let element = group; element && element !== picture; element = element.parentElement.closest("g[id]")) {
      if (BOX.test(element.id)) return onbox(element.id);
    }
    return null;
  } });
  const zoom = (factor) => scaleAt(size().width / 2, size().height / 2, factor);
  panel.append(h("div", { class: "zoom" },
    button("plus", words.zoom_in, () => zoom(1.25)), button("minus", words.zoom_out, () => zoom(0.8)), button("fit", words.fit, () => fit())));
  const grave = ["error", "warning"].filter((severity) => picture.querySelector(`g.${severity}`));
  panel.append(h("p", { class: "legend", "aria-hidden": "true" },
    h("span", { class: "value" }, words.value), h("span", { class: "gradient" }, words.gradient),
    Object.keys(SIGNS).filter((verdict) => picture.querySelector(`g.${verdict}`)).map((verdict) => h("span", { class: "sign" }, `${SIGNS[verdict]} ${words[`verdict_${verdict}`]}`)),
    grave.map((severity) => h("span", { class: `sign ${severity}` }, severityIcon(severity), words[severity]))));

  let marked = [];
  return {
    element: panel,
    fit,
    zoom,
    start,
    settle: () => { ownFont = true; if (view.placed) settle(); }, // the drawing's own font is there
    follow,
    find,
    view: () => ({ ...view }),
    restore: (old) => { Object.assign(view, old, { placed: false }); kept = Boolean(old.placed); apply(); },
    show({ k, now, reads, writes, wires, side }) {
      changes.to(k);
      for (const [element, name] of marked) element.classList.remove(name);
      marked = [];
      const mark = (element, name) => {
        if (!element) return;
        element.classList.add(name);
        marked.push([element, name]);
      };
      for (const id of reads) if (id !== now) mark(byId.get(id), "read");
      for (const id of writes) if (id !== now) mark(byId.get(id), `written-${side}`);
      for (const wire of wires) {
        mark(byId.get(wire), `carries-${side}`);
        mark(labels.of(wire, side), "there");
      }
      mark(byId.get(now), `now-${side}`);
    },
  };
}

// What of the drawing appears at which step, in order, so that a step touches only what it changes.
function timeline(data, byId, at, colors) {
  const entries = [];
  const add = (element, name, when) => element && entries.push({ element, name, when });
  const nodesOf = new Map();
  data.boxes.forEach((box, node) => box !== null && nodesOf.set(box, [...(nodesOf.get(box) ?? []), node]));
  for (const [box, nodes] of nodesOf) {
    add(byId.get(box), "reached", nodes.reduce((first, node) => Math.min(first, at("value", node, 0)), Infinity));
    if (box[0] === "n") for (const [element, what] of numbersIn(data, byId.get(box), nodes[0], colors)) {
      element.classList.add("later");
      add(element, "there", what === "parameter" ? at(what, nodes[0]) : at(what, nodes[0], 0));
    }
  }
  for (const [id, edges] of data.arrows) {
    add(byId.get(id), "reached", edges.reduce((first, edge) => Math.min(first, at("value", data.edges[edge][0], data.edges[edge][1])), Infinity));
    add(byId.get(id), "delivered", edges.reduce((first, edge) => Math.min(first, at("contribution", edge)), Infinity));
  }
  entries.sort((one, other) => one.when - other.when);
  let reached = 0;
  return {
    to(k) {
      while (reached < entries.length && entries[reached].when <= k) { entries[reached].element.classList.add(entries[reached].name); reached += 1; }
      while (reached > 0 && entries[reached - 1].when > k) { reached -= 1; entries[reached].element.classList.remove(entries[reached].name); }
    },
  };
}

// The numbers that the drawing wrote into a box, told by the colours that it keeps for them.
function numbersIn(data, box, node, colors) {
  const found = [];
  const lines = [...(box?.querySelectorAll("text") ?? [])];
  for (const line of lines) {
    for (const what of ["value", "gradient"]) {
      const color = data.picture.colors[what];
      if (line.getAttribute("fill") === (colors[color] ?? color)) found.push([line, what]);
    }
  }
  const update = data.updates.find((entry) => entry.node === node);
  if (update && isNumber(update.after) && lines.length) found.push([lines[lines.length - 1], "parameter"]);
  return found;
}

// How far a stretch from `start` has to move to lie inside 0..room: nothing if it does, else with room for its neighbours.
function inward(start, length, room) {
  const near = 6;
  const wanted = Math.min(90, Math.max(near, (room - length) / 2));
  if (start < near) return wanted - start;
  return start + length > room - near ? Math.max(room - wanted - length - start, near - start) : 0;
}

// Where another font stands in for the one that the drawing was measured in, the pieces of a line are set anew around the line's middle.
function settleText(picture) {
  const lines = new Map();
  for (const text of picture.querySelectorAll("g.node text")) {
    const box = text.parentElement;
    const key = text.getAttribute("y");
    if (!lines.has(box)) lines.set(box, new Map());
    if (!lines.get(box).has(key)) lines.get(box).set(key, []);
    lines.get(box).get(key).push(text);
  }
  const moves = [];
  for (const [box, rows] of lines) {
    const shape = box.querySelector("path, polygon")?.getBBox();
    if (!shape) continue;
    for (const pieces of rows.values()) {
      const widths = pieces.map((piece) => piece.getComputedTextLength());
      const gap = pieces.some((piece) => piece.textContent.trim() !== piece.textContent) ? 0 : 4;
      let x = shape.x + shape.width / 2 - (widths.reduce((sum, width) => sum + width, 0) + gap * (pieces.length - 1)) / 2;
      pieces.forEach((piece, index) => { moves.push([piece, x]); x += widths[index] + gap; });
    }
  }
  for (const [piece, x] of moves) piece.setAttribute("x", x.toFixed(2));
}

function placeOf(element) {
  const box = element.getBBox();
  const matrix = element.getCTM();
  return { x: box.x * matrix.a + matrix.e, y: box.y * matrix.d + matrix.f, width: box.width * matrix.a, height: box.height * matrix.d };
}

// What travels along a wire in this step: the value to the op, or the contribution that comes back. Made when first needed.
function wireLabels(data, picture, byId) {
  const layer = s("g", { class: "wire-labels", "aria-hidden": "true" });
  const edgesOf = new Map(data.arrows);
  const made = new Map();
  picture.append(layer);
  return {
    of(wire, side) {
      const key = `${wire} ${side}`;
      if (!made.has(key)) made.set(key, wireLabel(data, byId.get(wire)?.querySelector("path"), edgesOf.get(wire) ?? [], side, layer));
      return made.get(key);
    },
  };
}

function wireLabel(data, path, edges, side, layer) {
  if (!path || !edges.length) return null;
  const [source, output, , , contribution] = data.edges[edges[0]];
  const same = edges.every((edge) => data.edges[edge][0] === source && data.edges[edge][1] === output);
  const note = side === "value" ? same && data.nodes[source].outputs[output] : edges.length === 1 && contribution;
  if (!note) return null;
  const length = path.getTotalLength();
  const [start, middle, end] = [0, length / 2, length].map((at) => path.getPointAtLength(at));
  const matrix = path.getCTM();
  const down = data.picture.flow === "down";
  const left = down && start.x < end.x - 1; // wires from the left carry their number on the left, so that two do not meet
  const element = s("text", {
    class: `wire ${side}`,
    x: middle.x * matrix.a + matrix.e + (down ? (left ? -8 : 8) : 0),
    y: middle.y * matrix.d + matrix.f + (down ? 4 : side === "value" ? -6 : 14),
    "text-anchor": down ? (left ? "end" : "start") : "middle",
  });
  element.textContent = isNumber(note) ? brief(note) : shapeText(note.shape);
  layer.append(element);
  return element;
}

// Drag to move, wheel and two fingers to scale; a press that does not move is a click.
function moves(panel, { pan, scaleAt, onclick }) {
  const pointers = new Map();
  let travelled = 0;
  const at = (event) => {
    const box = panel.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  panel.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".zoom")) return;
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, at(event));
  });
  panel.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 1) {
      travelled += Math.hypot(now.x - before.x, now.y - before.y);
      if (travelled > 3) {
        if (!panel.hasPointerCapture(event.pointerId)) panel.setPointerCapture(event.pointerId);
        panel.classList.add("dragging");
        pan(now.x - before.x, now.y - before.y);
      }
    } else if (pointers.size === 2) {
      travelled = 10;
      const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const [was, is] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(now.x - other.x, now.y - other.y)];
      if (was > 0) scaleAt((now.x + other.x) / 2, (now.y + other.y) / 2, is / was);
      pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    }
    pointers.set(event.pointerId, now);
  });
  const up = (event) => {
    pointers.delete(event.pointerId);
    panel.classList.remove("dragging");
  };
  panel.addEventListener("pointerup", up);
  panel.addEventListener("pointercancel", up);
  panel.addEventListener("click", (event) => {
    if (travelled <= 3 && !event.target.closest(".zoom")) onclick(event.target);
  });
  panel.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = at(event);
    scaleAt(x, y, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)));
  }, { passive: false });
}
