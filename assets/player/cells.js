// Small arrays, whole, as coloured cells; the number stands in the cell, NaN and inf stand out by their shape as well.

import { figure, shapeText } from "./format.js";
import { h } from "./dom.js";

export function arrayCells(note, side) {
  const rows = asRows(note.values);
  const largest = Math.max(...rows.flat().map((value) => (typeof value === "number" && Number.isFinite(value) ? Math.abs(value) : 0)), 0);
  const table = h("table", { class: `cells ${side}`, "aria-label": shapeText(note.shape) });
  for (const row of rows) {
    table.append(h("tr", {}, row.map((value) => {
      const special = value === "nan" || value === "inf" || value === "-inf";
      const cell = h("td", { class: special ? "special" : undefined }, figure(value));
      if (!special && typeof value === "number" && largest > 0) cell.style.setProperty("--share", String(Math.abs(value) / largest));
      if (typeof value === "number" && value < 0) cell.classList.add("negative");
      return cell;
    })));
  }
  const wide = (rows[0]?.length ?? 0) > 2; // may have to be scrolled, by keyboard too
  return h("div", { class: "cells-frame", ...(wide ? { tabindex: "0", role: "group", "aria-label": shapeText(note.shape) } : {}) }, table);
}

// The last dimension lies across; all others run down.
function asRows(values) {
  if (!Array.isArray(values)) return [[values]];
  if (!values.length) return [];
  if (!Array.isArray(values[0])) return fold(values, 8);
  if (!Array.isArray(values[0][0])) return values;
  return values.flatMap(asRows);
}

function fold(values, width) {
  const rows = [];
  for (let start = 0; start < values.length; start += width) rows.push(values.slice(start, start + width));
  return rows;
}
