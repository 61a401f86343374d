// The storage of a tensor as a strip: every place, and which of them this tensor reaches.

import { h } from "./dom.js";
import { elementsAt } from "./places.js";
import { largest, shown, size } from "./grids.js";

const MOST_BOXES = 40; // places that are drawn with their number
const STORAGE_SIGNS = ["①", "②", "③", "④", "⑤", "⑥", "⑦", "⑧", "⑨", "⑩", "⑪", "⑫", "⑬", "⑭", "⑮", "⑯", "⑰", "⑱", "⑲", "⑳"];

export const storageSign = (number) => STORAGE_SIGNS[number] ?? `(${number + 1})`;

const many = (number) => number.toLocaleString("en");

// `kin`: all tensors in the same storage. The result can `light(place)` and say where a place is drawn.
export function strip(made, kin, { words, fill }) {
  const reached = elementsAt(made);
  const label = fill(words.storage, { number: storageSign(made.storage), places: many(made.storage_elements), bytes: made.element_bytes });
  const says = fill(words.reaches, { used: many(reached.size), places: many(made.storage_elements) });
  const head = h("p", { class: "strip-head" }, h("span", {}, label), h("span", { class: "quiet" }, says));
  if (!made.storage_elements || made.values === null) return { element: h("div", { class: "strip" }, head), light() {}, box() {} };
  return made.storage_elements <= MOST_BOXES ? boxes(made, kin, reached, head) : band(made, reached, head);
}

function boxes(made, kin, reached, head) {
  const known = new Map();
  for (const other of kin) for (const [place, flats] of elementsAt(other)) if (other.values) known.set(place, other.values[flats[0]]);
  const most = largest([...known.values()]);
  const longest = [...known.values()].reduce((length, value) => Math.max(length, shown(value).length), 0);
  const places = Array.from({ length: made.storage_elements }, (_, place) => {
    const value = known.get(place);
    const box = h("span", { class: `place${reached.has(place) ? "" : " unreached"}${typeof value === "number" && value < 0 ? " negative" : ""}` },
      h("span", { class: "content" }, value === undefined ? "" : shown(value)), h("span", { class: "number" }, String(place)));
    if (most > 0 && value !== undefined && typeof value !== "string") box.style.setProperty("--share", `${Math.round(100 * size(value) / most)}%`);
    return box;
  });
  let lit;
  return {
    element: h("div", { class: "strip" }, head, h("div", { class: "places", "aria-hidden": "true", style: `grid-template-columns: repeat(${perRow(places.length, longest)}, minmax(0, ${Math.max(34, 8 + 6.4 * longest)}px))` }, places)),
    light: (place) => { lit?.classList.remove("here"); lit = places[place]; lit?.classList.add("here"); },
    box: (place) => places[place]?.firstChild.getBoundingClientRect(),
  };
}

// Places in a row of the strip: as many as fit a narrow card, so that the rows are of one length where the number allows it.
function perRow(places, longest) {
  const most = Math.min(14, Math.floor(280 / Math.max(20, 4 + 6 * longest)));
  if (places <= most) return places;
  for (let count = most; count > most / 2; count -= 1) if (places % count === 0) return count;
  return most;
}

function band(made, reached, head) {
  const rows = Math.ceil(made.storage_elements / 200);
  const columns = Math.ceil(made.storage_elements / rows);
  const [wide, high] = [6, rows === 1 ? 16 : Math.max(3, Math.min(10, Math.floor(120 / rows)))];
  const canvas = h("canvas", { width: columns * wide, height: rows * high, "aria-hidden": "true", class: "band", style: `height: ${rows * high}px` });
  let before;
  const draw = (place) => {
    before = place;
    const paint = canvas.getContext("2d");
    const look = getComputedStyle(canvas);
    const [value, faint, text] = ["--value", "--faint", "--text"].map((name) => look.getPropertyValue(name));
    for (let one = 0; one < made.storage_elements; one += 1) {
      paint.fillStyle = reached.has(one) ? value : faint;
      paint.fillRect((one % columns) * wide, Math.floor(one / columns) * high, wide - (columns > 120 ? 0 : 1), high - (high > 3 ? 1 : 0));
    }
    if (place === undefined) return;
    paint.fillStyle = text;
    paint.fillRect((place % columns) * wide - 1, Math.floor(place / columns) * high - 1, wide + 2, high + 1);
  };
  requestAnimationFrame(() => draw());
  return {
    element: h("div", { class: "strip" }, head, canvas),
    light: (place) => { if (place !== before) draw(place); },
    box: (place) => {
      const box = canvas.getBoundingClientRect();
      const [x, y] = [box.width / columns, box.height / rows];
      return new DOMRect(box.left + (place % columns) * x, box.top + Math.floor(place / columns) * y, x, y);
    },
  };
}
