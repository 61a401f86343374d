// A large tensor in little: its histogram and heat map where it was kept whole, else the stretch that its statistics span.

import { figure } from "./format.js";
import { h, s } from "./dom.js";

const ACROSS = 220;
const TALL = 44;

export function histogram({ counts, low, high }, side, words) {
  const most = Math.max(...counts);
  const step = ACROSS / counts.length;
  const picture = s("svg", { viewBox: `0 0 ${ACROSS} ${TALL + 14}`, class: `sketch ${side}`, role: "img", "aria-label": words.histogram_of.replace("{low}", figure(low)).replace("{high}", figure(high)) });
  counts.forEach((many, place) => {
    if (!many) return;
    const tall = Math.max(1, (many / most) * TALL);
    const bar = s("rect", { x: place * step + 0.5, y: TALL - tall, width: step - 1, height: tall });
    const title = s("title");
    title.textContent = `${figure(low + ((high - low) * place) / counts.length)} … ${figure(low + ((high - low) * (place + 1)) / counts.length)}: ${many}`;
    bar.append(title);
    picture.append(bar);
  });
  picture.append(...ends(low, high));
  return picture;
}

// One shade a cell, positive in the colour of its side, negative in another.
export function heatMap({ heat }, side, words) {
  const most = Math.max(...heat.flat().map((value) => Math.abs(value ?? 0))) || 1;
  const cell = Math.max(3, Math.min(10, Math.floor(ACROSS / heat[0].length)));
  const picture = s("svg", { viewBox: `0 0 ${ACROSS} ${heat.length * cell}`, class: `sketch heat ${side}`, role: "img", "aria-label": words.heat_of });
  heat.forEach((row, down) => row.forEach((value, across) => {
    const one = s("rect", { x: across * cell, y: down * cell, width: cell - 0.5, height: cell - 0.5, class: value === null ? "none" : value < 0 ? "negative" : "positive", "fill-opacity": value === null ? 1 : Math.abs(value) / most });
    picture.append(one);
  }));
  return h("figure", { class: "heat-frame" }, picture, h("figcaption", {}, words.heat_scale.replace("{most}", figure(most))));
}

// From the smallest to the largest, with the mean and one deviation to either side.
export function stretch(note, side, words) {
  const { min, max, mean, std } = note;
  if (![min, max, mean, std].every((value) => typeof value === "number") || !(max > min)) return null;
  const at = (value) => 3 + ((Math.min(max, Math.max(min, value)) - min) / (max - min)) * (ACROSS - 6);
  const picture = s("svg", { viewBox: `0 0 ${ACROSS} 32`, class: `sketch ${side}`, role: "img", "aria-label": words.stretch_of.replace("{low}", figure(min)).replace("{high}", figure(max)).replace("{mean}", figure(mean)).replace("{std}", figure(std)) });
  picture.append(s("rect", { class: "all", x: 3, y: 8, width: ACROSS - 6, height: 2 }), s("rect", { x: at(mean - std), y: 4, width: Math.max(2, at(mean + std) - at(mean - std)), height: 10, rx: 2, class: "spread" }),
    s("rect", { x: at(mean) - 1, y: 1, width: 2, height: 16 }));
  if (min < 0 && max > 0) picture.append(s("rect", { class: "zero", x: at(0) - 0.5, y: 0, width: 1, height: 18 }));
  picture.append(...ends(min, max, 29));
  return picture;
}

function ends(low, high, y = TALL + 11) {
  const left = s("text", { x: 0, y });
  left.textContent = figure(low);
  const right = s("text", { x: ACROSS, y, "text-anchor": "end" });
  right.textContent = figure(high);
  return [left, right];
}
