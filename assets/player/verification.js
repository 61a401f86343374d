// What verification says of a node, and of its gradient: by hand, by central differences, by autograd.

import { arrayCells } from "./cells.js";
import { errorCurve } from "./curve.js";
import { h } from "./dom.js";
import { brief, figure } from "./format.js";
import { maths } from "./maths.js";
import { equation } from "./rule.js";

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
  const did = node.kind === "op" ? words[`verified_${verdict}`] : words[`kept_${verdict}`];
  const more = [did, difference && `(${difference})`, data.reasons[reason]].filter(Boolean);
  return h("p", { class: "checked" }, verdictBadge(verdict, words), h("span", { class: "why" }, more.join(" ")));
}

// How many nodes have which verdict, and how many gradients are wrong, in the line above the graph.
export function verdictChip(data, words) {
  if (!data.checks) return null;
  const counts = ORDER.filter((verdict) => data.checks.counts[verdict]).map((verdict) => [verdict, `${data.checks.counts[verdict]}`, words[`verdict_${verdict}`]]);
  if (data.checks.wrong_gradients) counts.unshift(["wrong", `${data.checks.wrong_gradients} ${words.gradients}`, words.verdict_wrong]);
  if (!counts.length) return null;
  const title = `${words.verification}: ${counts.map(([, count, word]) => `${word} ${count}`).join(", ")}`;
  return h("span", { class: `chip plain verification ${counts[0][0]}`, title, role: "img", "aria-label": title }, words.verified, " ",
    counts.map(([verdict, count]) => h("span", { class: `verdict ${verdict}` }, `${SIGNS[verdict]} ${count}`)));
}

// The gradient of one output three ways: a line each.
export function threeWays(data, node, output, note, { words, onnode }) {
  const check = data.checks?.gradients.find((one) => one.node === node.id && one.output === output);
  const hand = data.hand ? data.hand[`${node.id}.${output}`] : null;
  return h("section", { class: "part ways" }, h("h3", {}, words.three_ways), h("dl", {},
    handWay(hand, data, { words, onnode }), numericWay(check, note.dtype, data, words), way(words.way_autograd, [shown(note.values ?? null) ?? brief(note)])));
}

function handWay(hand, data, { words, onnode }) {
  const name = words.way_hand;
  if (!hand) return way(name, h("span", { class: "absent" }, data.too_many_by_hand));
  if (hand.total === null) return way(name, h("span", { class: "absent" }, hand.note));
  const compare = hand.difference === null ? h("span", { class: "why" }, hand.note) : compared(hand.verdict === "differs" ? "wrong" : "close", hand.difference, words);
  return way(name, [shown(hand.total), compare], pathsPart(hand, data, { words, onnode }));
}

// Product by product along every way from the loss, and as one expression where that is short.
function pathsPart(hand, data, { words, onnode }) {
  const count = hand.paths.length + hand.hidden;
  const stops = (nodes) => nodes.map((node, index) => [index ? " → " : "", h("button", { type: "button", class: "link", onclick: () => onnode(node) }, data.book.label(node))]);
  const paths = hand.paths.map(([nodes, text, factors]) => h("li", {}, h("p", { class: "stops" }, stops(nodes)), text && equation(text),
    factors.length > 0 && h("details", {}, h("summary", {}, words.factors), factors.map((factor) => equation(factor)))));
  return h("details", {}, h("summary", {}, count === 1 ? words.one_path : words.paths.replace("{count}", count)),
    hand.symbolic && [maths(hand.symbolic[0], words.formula), hand.symbolic[1].map((line) => equation(line))],
    h("ol", { class: "paths" }, paths), hand.hidden > 0 && h("p", { class: "why" }, words.hidden_paths.replace("{count}", hand.hidden)));
}

// Beside its name, or below it where it holds an array.
function way(name, line, ...more) {
  const wide = [line].flat(2).some((part) => part?.classList?.contains("cells-frame"));
  return [h("dt", { class: wide && "more" }, name), h("dd", { class: wide && "more" }, h("div", { class: "line" }, line)), more.filter(Boolean).map((one) => h("dd", { class: "more" }, one))];
}

function numericWay(check, dtype, data, words) {
  const name = words.way_numeric;
  if (!check) return way(name, h("span", { class: "absent" }, data.checks ? words.numeric_none : words.not_verified));
  if (check.verdict === "skipped") return way(name, [verdictBadge("skipped", words), h("span", { class: "why" }, data.reasons[check.reason])]);
  const sampled = check.checked < check.size ? words.sampled.replace("{checked}", check.checked).replace("{size}", check.size) : null;
  const reason = check.reason === null ? null : data.reasons[check.reason];
  return way(name, [shown(check.numeric), compared(check.verdict, check.error, words), [sampled, reason].filter(Boolean).map((one) => h("span", { class: "why" }, one))], curvePart(check, dtype, words));
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
