// Boxes coloured by a number: five shades, even in the logarithm, between the smallest and the largest number met.

import { byteText, figure } from "./format.js";
import { h } from "./dom.js";

const ADDED = new Set(["time", "memory"]); // of several nodes these add up; of the others the largest counts
const WRITTEN = { time: (number) => `${figure(number)} µs`, memory: byteText };

// Colours the scene, or takes the colours away; gives what a legend needs.
export function paint(data, scene, name, dark, measures) {
  if (!scene) return null;
  for (const shape of scene.svg.querySelectorAll("[data-painted]")) {
    shape.style.removeProperty("fill");
    delete shape.dataset.painted;
  }
  scene.svg.classList.toggle("overlaid", Boolean(name));
  if (!name) return null;
  const shades = data.colors.scales[name][dark ? 1 : 0];
  const numbers = new Map([...scene.nodesOf].map(([box, nodes]) => [box, numberOf(nodes.map((node) => measures[name][node]), ADDED.has(name))]));
  const finite = [...numbers.values()].filter((number) => Number.isFinite(number) && number > 0);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const shade = (number) => {
    if (number === null) return "var(--ground)";
    if (!Number.isFinite(number)) return data.colors.bad[dark ? 1 : 0];
    if (number <= low || high <= low) return shades[0];
    return shades[Math.min(Math.floor((shades.length * Math.log(number / low)) / Math.log(high / low)), shades.length - 1)];
  };
  for (const [box, number] of numbers) {
    for (const shape of scene.byId.get(box)?.querySelectorAll(":scope > path, :scope > polygon") ?? []) {
      if (shape.getAttribute("fill") === "none" || shape.getAttribute("stroke") === "none") continue;
      shape.style.setProperty("fill", shade(number));
      shape.dataset.painted = "";
    }
  }
  return { name, shades, low, high, known: finite.length, write: WRITTEN[name] ?? figure, broken: [...numbers.values()].some((number) => number !== null && !Number.isFinite(number)) };
}

function numberOf(found, added) {
  const known = found.filter((number) => number !== null && number !== undefined).map((number) => (typeof number === "string" ? Number(number.replace("inf", "Infinity")) : number));
  if (!known.length) return null;
  if (known.some(Number.isNaN)) return NaN;
  return added ? known.reduce((sum, number) => sum + number, 0) : Math.max(...known);
}

export function legendOf({ name, shades, low, high, known, write, broken }, words) {
  if (!known) return [h("span", { class: "scale" }, `${words[`scale_${name}`]}: ${words.overlay_none}`)];
  const swatch = (shade) => { const one = h("i", {}); one.style.background = shade; return one; };
  return [h("span", { class: "scale" }, `${words[`scale_${name}`]} `, h("b", {}, write(low)), h("span", { class: "shades" }, shades.map(swatch)), h("b", {}, write(high)),
    broken && ` · ${words.overlay_broken}`)];
}

// Wires as thick as the gradient that flows back along them, in the logarithm; those without one stay as they are.
export function thicken(data, current, on) {
  data.book.measures(({ edges }) => { if (current()) thickenTo(current(), edges, on); });
}

function thickenTo(scene, sizesOfEdges, on) {
  const size = (edge) => sizesOfEdges[edge];
  const sizes = new Map();
  for (const [arrow, edges] of scene.picture.arrows) {
    const known = edges.map(size).filter((one) => one !== null);
    if (known.length) sizes.set(arrow, Math.max(...known));
  }
  const [low, high] = [Math.min(...sizes.values()), Math.max(...sizes.values())];
  for (const [arrow, one] of sizes) {
    const line = scene.byId.get(arrow)?.querySelector("path");
    const share = high > low ? Math.log(one / low) / Math.log(high / low) : 0.5;
    if (on) line?.style.setProperty("stroke-width", `${(0.8 + 5.2 * share).toFixed(2)}px`);
    else line?.style.removeProperty("stroke-width");
  }
}
