// The error of a central difference over its step, both axes logarithmic: rounding falls from the left, truncation rises to the right.
// Where the gradient that it is compared with is the less exact of the two, a floor lies between them.

import { s } from "./dom.js";

const WIDTH = 288;
const HEIGHT = 190;
const ROOM = { left: 44, right: 18, top: 12, bottom: 34 };

const FLAT = 5; // errors within such a factor of the least lie on the floor

// `dtype`: that of the gradient.
export function errorCurve(points, dtype, words) {
  const known = points.filter(([step, error]) => step > 0 && Number.isFinite(error)).sort(([one], [other]) => one - other);
  const errors = known.map(([, error]) => error).filter((error) => error > 0);
  if (known.length < 3 || !errors.length) return null;
  const floor = Math.min(...errors) / 10; // where an error of exactly 0 stands, which no logarithm knows
  const at = known.map(([step, error]) => [Math.log10(step), Math.log10(error > 0 ? error : floor), error]);
  const x = axis(at.map(([step]) => step), ROOM.left, WIDTH - ROOM.right);
  const y = axis(at.map(([, error]) => error), HEIGHT - ROOM.bottom, ROOM.top);
  const best = known.reduce((one, other) => (other[1] < one[1] ? other : one));
  const label = words.curve_of.replace("{step}", power(best[0])).replace("{error}", short(best[1]));
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img", "aria-label": label });
  for (const [scale, horizontal] of [[x, true], [y, false]]) for (const tick of scale.ticks) svg.append(...grid(scale, tick, horizontal));
  const [from, to] = floorOf(known, best).map((step) => x.place(Math.log10(step)));
  svg.append(text(ROOM.left + 4, ROOM.top + 10, words.rounding, "start", "regime"), text(WIDTH - ROOM.right - 2, ROOM.top + 10, words.truncation, "end", "regime"));
  for (const edge of new Set([from, to])) svg.append(s("line", { x1: edge, x2: edge, y1: ROOM.top + 16, y2: HEIGHT - ROOM.bottom, class: "best" }));
  if (to - from > 60) svg.append(text((from + to) / 2, HEIGHT - ROOM.bottom - 8, dtype, "middle", "regime"));
  svg.append(s("polyline", { points: at.map(([step, error]) => `${x.place(step).toFixed(1)},${y.place(error).toFixed(1)}`).join(" "), class: "line" }));
  for (const [step, error, exact] of at) svg.append(s("circle", { cx: x.place(step), cy: y.place(error), r: 3, class: exact > 0 ? "point" : "point none" }));
  svg.append(text((ROOM.left + WIDTH - ROOM.right) / 2, HEIGHT - 4, words.step_size, "middle", "name"));
  return svg;
}

// The steps around the best one between which the error does not change much.
function floorOf(known, best) {
  const at = known.indexOf(best);
  let [first, last] = [at, at];
  while (first > 0 && known[first - 1][1] <= FLAT * best[1]) first -= 1;
  while (last < known.length - 1 && known[last + 1][1] <= FLAT * best[1]) last += 1;
  return last - first < 2 ? [best[0], best[0]] : [known[first][0], known[last][0]];
}

// From logarithms to places: the ends fall on whole powers of ten, at most seven of them are written.
function axis(values, from, to) {
  const low = Math.floor(Math.min(...values));
  const high = Math.max(low + 1, Math.ceil(Math.max(...values)));
  const every = Math.ceil((high - low) / 6);
  const ticks = [];
  for (let tick = low; tick <= high; tick += every) ticks.push(tick);
  return { ticks, place: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

function grid(scale, tick, horizontal) {
  const at = scale.place(tick);
  const line = horizontal ? { x1: at, x2: at, y1: ROOM.top, y2: HEIGHT - ROOM.bottom } : { x1: ROOM.left, x2: WIDTH - ROOM.right, y1: at, y2: at };
  const word = text(horizontal ? at : ROOM.left - 5, horizontal ? HEIGHT - ROOM.bottom + 13 : at + 3.5, "", horizontal ? "middle" : "end", "tick");
  const raised = s("tspan", { dy: -4, "font-size": 8 });
  raised.textContent = String(tick).replace("-", "−");
  word.append("10", raised);
  return [s("line", { ...line, class: "grid" }), word];
}

function text(x, y, content, anchor, name) {
  const element = s("text", { x, y, "text-anchor": anchor, class: name });
  element.textContent = content;
  return element;
}

const power = (value) => `1e${Math.round(Math.log10(value))}`.replace("-", "−");
const short = (value) => (value === 0 ? "0" : value.toExponential(0).replace("-", "−"));
