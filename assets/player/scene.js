// One picture as elements: which box stands for which node, where it lies, what of it is there from which step on.

import { brief, plain, shapeText } from "./format.js";
import { s } from "./dom.js";
import { safePicture } from "./picture.js";

const MOST_WRITTEN = 20; // characters beside a wire

// null where the text holds no picture.
export function sceneOf(data, picture, dark) {
  const colors = dark ? data.colors.dark : {};
  const svg = safePicture(picture.svg, colors);
  if (!svg) return null;
  const byId = new Map([...svg.querySelectorAll("g[id]")].map((element) => [element.id, element]));
  const boxOf = picture.boxes.flatMap(([box, count]) => Array(count).fill(box));
  const nodesOf = new Map();
  boxOf.forEach((box, node) => {
    if (box === null) return;
    if (!nodesOf.has(box)) nodesOf.set(box, []);
    nodesOf.get(box).push(node);
  });
  const rectangles = new Map();
  const scene = {
    svg, byId, boxOf, nodesOf, picture, width: picture.width, height: picture.height,
    arrowOf: new Map(picture.arrows.flatMap(([arrow, edges]) => edges.map((edge) => [edge, arrow]))),
    foldable: new Map(picture.foldable.map(([id, name, parts]) => [id, { name, parts }])),
    partName: (id) => plain(data.frames.find((frame) => frame[0] === id)?.[3] ?? id),
    rectangle(id) {
      if (!rectangles.has(id)) rectangles.set(id, placeOf(byId.get(id)));
      return rectangles.get(id);
    },
  };
  return Object.assign(scene, { changes: timeline(data, scene, colors), labels: wireLabels(data, scene) });
}

// What of the drawing appears at which step, in order, so that a step touches only what it changes.
function timeline(data, { byId, nodesOf, picture }, colors) {
  const { at, source, output } = data.book;
  const entries = [];
  const add = (element, name, when) => element && entries.push({ element, name, when });
  for (const [box, nodes] of nodesOf) {
    add(byId.get(box), "reached", nodes.reduce((first, node) => Math.min(first, at("value", node, 0)), Infinity));
    if (box[0] === "n") for (const [element, what] of numbersIn(data, byId.get(box), nodes[0], colors)) {
      element.classList.add("later");
      add(element, "there", what === "parameter" ? at(what, nodes[0]) : at(what, nodes[0], 0));
    }
  }
  for (const [id, edges] of picture.arrows) {
    add(byId.get(id), "reached", edges.reduce((first, edge) => Math.min(first, at("value", source[edge], output[edge])), Infinity));
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
      const color = data.colors[what];
      if (line.getAttribute("fill") === (colors[color] ?? color)) found.push([line, what]);
    }
  }
  if (data.book.numbered(node) && lines.length) found.push([lines[lines.length - 1], "parameter"]);
  return found;
}

// The outline of a box, without what is written beside it.
function placeOf(element) {
  const shape = element.querySelector(":scope > path, :scope > polygon") ?? element;
  const { x, y, width, height } = shape.getBBox();
  return { x, y, width, height };
}

// What travels along a wire in this step: the value to the op, or the contribution that comes back. Made when first needed.
function wireLabels(data, { svg, byId, picture }) {
  const layer = s("g", { class: "wire-labels", "aria-hidden": "true" });
  const edgesOf = new Map(picture.arrows);
  const made = new Map();
  svg.append(layer);
  return {
    of(wire, side) {
      const key = `${wire} ${side}`;
      if (!made.get(key)) made.set(key, wireLabel(data, byId.get(wire)?.querySelector("path"), edgesOf.get(wire) ?? [], side, layer, picture.folding.flow === "down"));
      return made.get(key);
    },
  };
}

function wireLabel(data, path, edges, side, layer, down) {
  if (!path || !edges.length) return null;
  const { book } = data;
  const [source, output] = book.edge(edges[0]);
  const same = edges.every((edge) => book.source[edge] === source && book.output[edge] === output);
  const note = side === "value" ? same && (book.node(source) ?? book.near(source))?.outputs[output] : edges.length === 1 && book.contribution(edges[0]);
  if (!note) return null;
  const points = pointsOf(path.getAttribute("d"));
  const [start, middle, end] = [points[0], halfway(points), points[points.length - 1]];
  const left = down && start.x < end.x - 1; // wires from the left carry their number on the left, so that two do not meet
  const element = s("text", {
    class: `wire ${side}`,
    x: middle.x + (down ? (left ? -8 : 8) : 0),
    y: middle.y + (down ? 4 : side === "value" ? -6 : 14),
    "text-anchor": down ? (left ? "end" : "start") : "middle",
  });
  const few = brief(note);
  element.textContent = few.length <= MOST_WRITTEN ? few : shapeText(note.shape);
  layer.append(element);
  return element;
}

// NOTE [no layout]: asking the browser for a length or a place makes it lay out all that changed at once, in the middle of a step. So the
// points of a wire are read from its text; of a curve its end will do.
function pointsOf(text) {
  const points = [];
  for (const [, numbers] of text.matchAll(/[MLQC]([^A-Za-z]+)/g)) {
    const all = numbers.trim().split(/[\s,]+/).map(Number);
    points.push({ x: all[all.length - 2], y: all[all.length - 1] });
  }
  return points;
}

function halfway(points) {
  const lengths = points.slice(1).map((point, index) => Math.hypot(point.x - points[index].x, point.y - points[index].y));
  let left = lengths.reduce((sum, length) => sum + length, 0) / 2;
  for (const [index, length] of lengths.entries()) {
    const [from, to] = [points[index], points[index + 1]];
    if (left <= length && length > 0) return { x: from.x + ((to.x - from.x) * left) / length, y: from.y + ((to.y - from.y) * left) / length };
    left -= length;
  }
  return points[0];
}
