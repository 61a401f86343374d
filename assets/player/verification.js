// What verification says of a node, and of its gradient: by hand, by central differences, by autograd.

import { arrayCells } from "./cells.js";
import { errorCurve } from "./curve.js";
import { h } from "./dom.js";
import { brief, figure } from "./format.js";

export const SIGNS = { equal: "✓", close: "≈", wrong: "✗", skipped: "–" };
const ORDER = ["wrong", "close", "equal", "skipped"];

export function verdictBadge(verdict, words) {
  return h("span", { class: `verdict ${verdict}` }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[verdict]), " ", words[`verdict_${verdict}`]);
}

// Beside the name of a node; the reason or the difference below it.
export function nodeVerdict(data, node, words) {
  const check = data.checks?.nodes[node.id];
  if (!check) return null;
  const [verdict, error, reason] = check;
  const difference = error ? words.largest_difference.replace("{error}", figure(error)) : null;
  const more = [words[`verified_${verdict}`], difference && `(${difference})`, data.reasons[reason]].filter(Boolean);
  return h("p", { class: "checked" }, verdictBadge(verdict, words), h("span", { class: "why" }, more.join(" ")));
}

// How many nodes have which verdict, in the line above the graph.
export function verdictChip(data, words) {
  if (!data.checks) return null;
  const counts = ORDER.filter((verdict) => data.checks.counts[verdict]);
  if (!counts.length) return null;
  const title = `${words.verification}: ${counts.map((verdict) => `${words[`verdict_${verdict}`]} ${data.checks.counts[verdict]}`).join(", ")}`;
  return h("span", { class: `chip plain verification ${counts[0]}`, title, role: "img", "aria-label": title }, words.verified, " ",
    counts.map((verdict) => h("span", { class: `verdict ${verdict}` }, `${SIGNS[verdict]} ${data.checks.counts[verdict]}`)));
}

// The gradient of one output three ways: a line each.
export function threeWays(data, node, output, note, words) {
  const check = data.checks?.gradients.find((one) => one.node === node.id && one.output === output);
  const title = h("h3", {}, words.three_ways);
  if (!check) return h("section", { class: "part ways" }, title, h("p", { class: "absent" }, data.checks ? words.numeric_none : words.not_verified));
  return h("section", { class: "part ways" }, title, h("dl", {}, numericWay(check, note.dtype, data, words), way(words.way_autograd, [shown(note.values ?? null) ?? brief(note)])));
}

function way(name, line, ...more) {
  return [h("dt", {}, name), h("dd", {}, h("div", { class: "line" }, line)), more.filter(Boolean).map((one) => h("dd", { class: "more" }, one))];
}

function numericWay(check, dtype, data, words) {
  const name = words.way_numeric;
  if (check.verdict === "skipped") return way(name, [verdictBadge("skipped", words), h("span", { class: "why" }, data.reasons[check.reason])]);
  const sampled = check.checked < check.size ? words.sampled.replace("{checked}", check.checked).replace("{size}", check.size) : null;
  return way(name, [shown(check.numeric), compared(check.verdict, check.error, words), sampled && h("span", { class: "why" }, sampled)], curvePart(check, dtype, words));
}

// makemore's cmp in words: exact, approximate, and how far apart at most.
function compared(verdict, error, words) {
  const [sign, word, look] = verdict === "wrong" ? ["✗", words.differs, "wrong"] : error === 0 ? ["✓", words.exact, "equal"] : ["≈", words.approximate, "close"];
  return [h("span", { class: `verdict ${look}` }, `${sign} ${word}`), error ? h("span", { class: "why" }, words.largest_difference.replace("{error}", figure(error))) : null];
}

function shown(values) {
  const flat = [values].flat(Infinity);
  if (values === null) return null;
  if (flat.length === 1) return h("span", { class: "number gradient" }, figure(flat[0]));
  return arrayCells({ values, shape: [] }, "gradient");
}

function curvePart(check, dtype, words) {
  const curve = errorCurve(check.curve, dtype, words);
  return curve && h("details", {}, h("summary", {}, words.curve), curve, h("p", { class: "why" }, `${words.curve_help} ${words.curve_floor}`));
}
