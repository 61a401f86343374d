// Two shapes drawn one above the other where they do not fit, or one number of elements beside another.

import { h } from "./dom.js";

const box = (size, ...classes) => h("span", { class: ["size", ...classes].join(" ") }, size === null ? "·" : String(size));

// A step that torch refused: what fits, what does not, why, and torch's own words.
export function misfit(error, step, words, why) {
  const drawn = step.fit ? DRAWN[step.fit.kind](step.fit, step, error) : null;
  return h("section", { class: "misfit", role: "alert", "aria-label": words.refused },
    h("h2", {}, words.refused, " ", h("code", {}, short(step.line))),
    drawn,
    h("p", { class: "why" }, why),
    error.message ? h("p", { class: "said" }, h("span", { class: "quiet" }, words.torch_says), " ", h("code", {}, error.message)) : null);
}

export const short = (line, most = 110) => (line.length > most ? `${line.slice(0, most - 26)} … ${line.slice(-18)}` : line);

const DRAWN = {
  broadcast: (fit, step) => aligned(fit.columns, step.of, fit.columns.map((column) => column[2] === null)),
  matmul: (fit, step, error) => {
    const [one, two] = step.of.map((name) => error.shapes[name]);
    const inner = [one.length - 1, Math.max(0, two.length - 2)];
    const wrong = fit.inner[0] !== fit.inner[1];
    const row = (name, shape, at) => h("span", { class: "shape" }, h("b", {}, name), shape.map((size, dim) => box(size, dim === at ? (wrong ? "wrong" : "fits") : "plain")));
    return h("div", { class: "beside", "aria-hidden": "true" }, row(step.of[0], one, inner[0]), h("span", { class: "sign" }, "@"), row(step.of[1], two, inner[1]),
      h("span", { class: "verdict" }, `${fit.inner[0]} ${wrong ? "≠" : "="} ${fit.inner[1]}`));
  },
  count: (fit, step) => h("div", { class: "beside", "aria-hidden": "true" },
    h("span", { class: "shape" }, h("b", {}, step.of[0]), box(fit.elements, fit.asked === fit.elements ? "fits" : "wrong")),
    h("span", { class: "sign" }, fit.asked === fit.elements ? "=" : "≠"),
    h("span", { class: "shape" }, (step.given.shape.length ? step.given.shape : [1]).flatMap((size, at) => [at ? h("span", { class: "sign" }, "×") : null, box(size, "plain")]),
      fit.asked === null ? null : [h("span", { class: "sign" }, "="), box(fit.asked, fit.asked === fit.elements ? "fits" : "wrong")])),
};

function aligned(columns, names, wrong) {
  const line = (name, which) => h("tr", {}, h("th", { scope: "row" }, name),
    columns.map((column, at) => h("td", {}, box(column[which], column[which] === null ? "missing" : wrong[at] ? "wrong" : "fits"))));
  return h("table", { class: "aligned", "aria-hidden": "true" }, line(names[0], 0), line(names[1], 1),
    h("tr", {}, h("th", {}), columns.map((column, at) => h("td", { class: "verdict" }, wrong[at] ? "✕" : `→ ${column[2]}`))));
}
