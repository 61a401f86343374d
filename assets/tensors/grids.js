// A tensor as coloured cells: a table of numbers where they fit, pixels where there are many, one slice at a time where the rank is high.

import { h } from "./dom.js";
import { figure } from "./format.js";
import { flatOf, indexOf, product } from "./places.js";

const MOST_NUMBERS = 144; // cells of a slice that show their number
const MOST_COLUMNS = 16;
const MOST_SLICES = 6; // shown beside each other
const FOLD = { numbers: 12, narrow: 8, pixels: 100 }; // elements in a row, of a tensor with one dimension

export function shown(value) {
  if (Array.isArray(value)) {
    const sign = String(value[1]).startsWith("-") || Object.is(value[1], -0) ? "−" : "+";
    return `${figure(value[0])}${sign}${figure(value[1]).replace("−", "")}j`;
  }
  return figure(value);
}

const isSpecial = (value) => typeof value === "string" || (Array.isArray(value) && value.some((part) => typeof part === "string"));
export const size = (value) => (Array.isArray(value) ? Math.hypot(...value) : typeof value === "boolean" ? Number(value) : Math.abs(value));
const isNegative = (value) => typeof value === "number" && value < 0;

export function largest(values) {
  let most = 0;
  for (const value of values ?? []) if (!isSpecial(value) && size(value) > most) most = size(value);
  return most;
}

// How a tensor is cut up for the screen: its slices (indices of all dimensions but two), rows and columns.
function cut(made, chosen, narrow) {
  const lead = made.shape.slice(0, -2);
  let [rows, columns] = made.rank > 1 ? made.shape.slice(-2) : [1, made.rank ? made.shape[0] : 1];
  let numbers = rows * columns <= MOST_NUMBERS && columns <= (made.rank === 1 ? MOST_NUMBERS : MOST_COLUMNS);
  const count = product(lead);
  const every = count <= MOST_SLICES && rows * columns <= MOST_NUMBERS;
  if (every && count * rows * columns > MOST_NUMBERS) numbers = false;
  const room = FOLD[!numbers ? "pixels" : narrow ? "narrow" : "numbers"];
  const fold = made.rank === 1 && columns > room;
  if (fold) [rows, columns] = [Math.ceil(columns / room), room];
  const slices = every ? Array.from({ length: count }, (_, at) => indexOf(at, lead)) : [lead.map((size, dim) => Math.min(chosen[dim] ?? 0, size - 1))];
  return { lead, rows, columns, numbers, fold, every, slices };
}

// `hooks`: enter(flat), leave(), press(flat, { byKey }), slice(dim, at); `words` for labels. The result can `light(marks)` (a Map of flat -> class names),
// `focus(flat)` and say where an element is drawn (`box(flat)`).
export function grid(made, { chosen, words, hooks, tabbed, narrow }) {
  const plan = cut(made, chosen, narrow);
  const frame = h("div", { class: "grid" });
  if (made.values === null) return still(frame, words.no_values);
  if (!made.elements) return still(frame, words.no_elements);
  const most = largest(made.values);
  if (!plan.every) frame.append(sliders(made, plan, words, hooks));
  const parts = plan.slices.map((slice) => (plan.numbers ? numbers : pixels)(made, plan, slice, most, { words, hooks, tabbed }));
  frame.append(h("div", { class: "slices" }, parts.map((part, at) => h("figure", {}, plan.lead.length && plan.every
    ? h("figcaption", {}, `${made.name}[${plan.slices[at].join(", ")}]`) : null, part.element))));
  const base = plan.slices.map((slice) => flatOf(slice, plan.lead) * product(made.shape.slice(-2)));
  const room = product(made.shape.slice(-2));
  const part = (flat) => (made.rank < 2 ? parts[0] : parts[base.findIndex((first) => flat >= first && flat < first + room)]);
  return {
    element: frame,
    wide: Math.min(620, parts.length * (plan.numbers ? 24 + plan.columns * width(made.values) : plan.columns * edgeOf(plan) + 24)),
    light: (marks) => { for (const one of parts) one.light(marks); },
    focus: (flat) => part(flat)?.focus(flat),
    box: (flat) => part(flat)?.box(flat),
  };
}

// Pixels that a column of numbers takes, about.
function width(values) {
  return Math.max(30, 14 + 7.5 * values.reduce((most, value) => Math.max(most, shown(value).length), 0));
}

function still(frame, text) {
  frame.append(h("p", { class: "none" }, text));
  return { element: frame, wide: 0, light() {}, focus() {}, box() {} };
}

function sliders(made, plan, words, hooks) {
  return h("div", { class: "leading" }, plan.lead.map((size, dim) => h("label", {}, `${words.dimension} ${dim}`, h("input", {
    type: "number", min: 0, max: size - 1, value: plan.slices[0][dim], "data-key": `slice ${made.name} ${dim}`,
    onchange: (event) => hooks.slice(dim, Math.max(0, Math.min(size - 1, Math.round(Number(event.target.value) || 0)))),
  }), h("span", { class: "quiet" }, `0…${size - 1}`))));
}

// The element at a row and column of a slice; undefined behind the end of a folded row.
function flatAt(made, plan, slice, row, column) {
  if (plan.fold) {
    const flat = row * plan.columns + column;
    return flat < made.elements ? flat : undefined;
  }
  return made.rank > 1 ? flatOf([...slice, row, column], made.shape) : column;
}

function numbers(made, plan, slice, most, { words, hooks, tabbed }) {
  const cells = new Map();
  const caption = `${made.name}${slice.length ? `[${slice.join(", ")}]` : ""}`;
  const table = h("table", { class: "numbers", role: "grid", "aria-label": `${words.values_of} ${caption}` });
  if (made.rank > 0 && !plan.fold) {
    table.append(h("tr", { role: "row" }, made.rank > 1 ? h("td", { class: "corner", role: "presentation" }) : null,
      Array.from({ length: plan.columns }, (_, at) => h("th", { role: "columnheader", scope: "col" }, String(at)))));
  }
  for (let row = 0; row < plan.rows; row += 1) {
    const line = h("tr", { role: "row" });
    if (made.rank > 1 || plan.fold) line.append(h("th", { role: "rowheader", scope: "row" }, String(plan.fold ? row * plan.columns : row)));
    for (let column = 0; column < plan.columns; column += 1) {
      const flat = flatAt(made, plan, slice, row, column);
      if (flat === undefined) continue;
      const value = made.values[flat];
      const cell = h("td", { role: "gridcell", tabindex: tabbed === flat ? 0 : -1, "data-flat": flat,
        class: isSpecial(value) ? "special" : isNegative(value) ? "negative" : undefined }, shown(value));
      if (!isSpecial(value) && most > 0) cell.style.setProperty("--share", `${Math.round(100 * size(value) / most)}%`);
      cells.set(flat, cell);
      line.append(cell);
    }
    table.append(line);
  }
  const flatUnder = (event) => { const cell = event.target.closest?.("td[data-flat]"); return cell ? Number(cell.dataset.flat) : undefined; };
  table.addEventListener("mouseover", (event) => { const flat = flatUnder(event); if (flat !== undefined) hooks.enter(flat); });
  table.addEventListener("mouseleave", () => hooks.leave());
  table.addEventListener("focusin", (event) => { const flat = flatUnder(event); if (flat !== undefined) hooks.enter(flat); });
  table.addEventListener("focusout", () => hooks.leave());
  table.addEventListener("click", (event) => { const flat = flatUnder(event); if (flat !== undefined) hooks.press(flat); });
  table.addEventListener("keydown", (event) => {
    const flat = flatUnder(event);
    if (flat === undefined) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); hooks.press(flat, { byKey: true }); return; }
    const next = step(event.key, flat, made, plan);
    if (next === undefined) return;
    event.preventDefault();
    if (!cells.has(next)) return;
    cells.get(flat).tabIndex = -1;
    cells.get(next).tabIndex = 0;
    cells.get(next).focus();
  });
  if (tabbed === undefined || !cells.has(tabbed)) { const first = cells.values().next().value; if (first) first.tabIndex = 0; }
  let lit = [];
  return {
    element: h("div", { class: "scroll" }, table),
    light: (marks) => {
      for (const cell of lit) cell.classList.remove("here", "same", "source", "written");
      lit = [];
      for (const [flat, name] of marks) {
        const cell = cells.get(flat);
        if (cell) { cell.classList.add(...name.split(" ")); lit.push(cell); }
      }
    },
    focus: (flat) => cells.get(flat)?.focus(),
    box: (flat) => cells.get(flat)?.getBoundingClientRect(),
  };
}

// The element that a key leads to from `flat`, within the same slice.
function step(key, flat, made, plan) {
  const row = plan.columns;
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[key];
  if (key === "Home") return flat - ((made.rank > 1 ? indexOf(flat, made.shape)[made.rank - 1] : flat % row));
  if (key === "End") return Math.min(made.elements - 1, flat - (made.rank > 1 ? indexOf(flat, made.shape)[made.rank - 1] : flat % row) + row - 1);
  return by === undefined ? undefined : flat + by;
}

// Pixels of the screen that one element takes, each way.
const edgeOf = (plan) => Math.max(2, Math.min(16, Math.floor(340 / plan.columns), Math.floor(340 / plan.rows) || 2));

function pixels(made, plan, slice, most, { words, hooks }) {
  const edge = edgeOf(plan);
  const canvas = h("canvas", { width: plan.columns * edge * 2, height: plan.rows * edge * 2, tabindex: 0, role: "application",
    "aria-label": `${words.values_of} ${made.name}${slice.length ? `[${slice.join(", ")}]` : ""}, ${made.shape.join(" × ")}` });
  canvas.style.width = `${plan.columns * edge}px`;
  canvas.style.height = `${plan.rows * edge}px`;
  let at;
  const draw = (marks = new Map()) => {
    const paint = canvas.getContext("2d");
    const look = getComputedStyle(canvas);
    const [value, negative, bad, raised, text] = ["--value", "--negative", "--error", "--raised", "--text"].map((name) => look.getPropertyValue(name));
    const unit = 2 * edge;
    paint.fillStyle = raised;
    paint.fillRect(0, 0, canvas.width, canvas.height);
    for (let row = 0; row < plan.rows; row += 1) for (let column = 0; column < plan.columns; column += 1) {
      const flat = flatAt(made, plan, slice, row, column);
      if (flat === undefined) continue;
      const number = made.values[flat];
      paint.globalAlpha = isSpecial(number) ? 1 : most > 0 ? size(number) / most : 0;
      paint.fillStyle = isSpecial(number) ? bad : isNegative(number) ? negative : value;
      paint.fillRect(column * unit, row * unit, unit, unit);
    }
    paint.globalAlpha = 1;
    for (const [flat, name] of marks) {
      const spot = where(flat);
      if (!spot) continue;
      paint.lineWidth = 3;
      paint.strokeStyle = name.includes("written") ? look.getPropertyValue("--written") : text;
      paint.strokeRect(spot[1] * unit - 1, spot[0] * unit - 1, unit + 2, unit + 2);
    }
  };
  const where = (flat) => {
    if (made.rank < 2) return [Math.floor(flat / plan.columns), flat % plan.columns];
    const index = indexOf(flat, made.shape);
    return index.slice(0, -2).every((one, dim) => one === slice[dim]) ? index.slice(-2) : null;
  };
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / edge);
    const column = Math.floor((event.clientX - box.left) / edge);
    return row >= 0 && row < plan.rows && column >= 0 && column < plan.columns ? flatAt(made, plan, slice, row, column) : undefined;
  };
  canvas.addEventListener("mousemove", (event) => { const flat = under(event); if (flat !== undefined && flat !== at) { at = flat; hooks.enter(flat); } });
  canvas.addEventListener("mouseleave", () => { at = undefined; hooks.leave(); });
  canvas.addEventListener("click", (event) => { const flat = under(event); if (flat !== undefined) { at = flat; hooks.press(flat); } });
  canvas.addEventListener("focus", () => { at ??= flatAt(made, plan, slice, 0, 0); hooks.enter(at); });
  canvas.addEventListener("blur", () => hooks.leave());
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); hooks.press(at, { byKey: true }); return; }
    const next = step(event.key, at, made, plan);
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0 || next >= made.elements || !where(next)) return;
    at = next;
    hooks.enter(at);
  });
  requestAnimationFrame(() => draw());
  let plain = true;
  return {
    element: h("div", { class: "scroll" }, canvas),
    light: (marks) => { if (marks.size || !plain) draw(marks); plain = !marks.size; },
    focus: () => canvas.focus(),
    box: (flat) => {
      const spot = where(flat);
      const box = canvas.getBoundingClientRect();
      return spot && new DOMRect(box.left + spot[1] * edge, box.top + spot[0] * edge, edge, edge);
    },
  };
}
