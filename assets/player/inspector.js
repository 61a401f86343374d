// The inspector: everything the trace knows of one node, as far as the steps have come. What does not exist yet is "not computed".

import { arrayCells } from "./cells.js";
import { copyButton } from "./copy.js";
import { severityIcon } from "./findings.js";
import { brief, byteText, count, figure, isNumber, label, nested, plain, shapeText } from "./format.js";
import { h } from "./dom.js";
import { maths } from "./maths.js";
import { equation, rulePart } from "./rule.js";
import { heatMap, histogram, stretch } from "./sketch.js";
import { nodeVerdict, threeWays } from "./verification.js";

const MOST_ROWS = 200; // contributions told apart

export function inspectorPanel(data, { words, onnode, onstep, freedAt }) {
  const body = h("div", { class: "inspector-body" });
  const element = h("section", { class: "panel inspector", "aria-label": words.inspector }, body);
  return {
    element,
    follow() { body.scrollTop = 0; },
    show(state) {
      const node = state.inspected === null ? null : data.book.node(state.inspected);
      if (state.inspected !== null && !node) body.replaceChildren(h("h2", {}, data.book.label(state.inspected)), h("p", { class: "absent" }, words.on_its_way));
      else body.replaceChildren(...(node ? nodeParts(data, node, state, { words, onnode, onstep, freedAt }) : leafParts(data, state, { words, onnode })));
    },
  };
}

function leafParts(data, state, { words, onnode }) {
  const leaves = data.book.leaves();
  if (!leaves.length) return [h("p", { class: "empty" }, words.no_leaves)];
  const rows = leaves.map((node) => h("tr", {},
    h("td", {}, h("button", { type: "button", class: "link", onclick: () => onnode(node.id) }, label(node))),
    h("td", { class: "kind" }, words[`kind_${node.kind}`]),
    h("td", { class: "number value" }, brief(node.outputs[0]))));
  return [h("h2", {}, words.initialise), h("table", { class: "rows leaves" }, rows)];
}

function nodeParts(data, node, state, context) {
  const { words } = context;
  const parts = [header(data, node, words), nodeVerdict(data, node, words), ...data.findings.filter((finding) => finding.node === node.id).map((finding) => found(finding, words))];
  const updates = data.book.updates(node.id).map(([index, update]) => updatePart(update, index, state, words));
  if (state.step.phase === "update") parts.push(...updates);
  node.outputs.forEach((note, output) => {
    const many = node.outputs.length > 1 ? ` ${output}` : "";
    const sketch = (what) => data.book.sketch(`n${node.id}.${what}${output}`);
    parts.push(quantity(words.value + many, "value", state.has("value", node.id, output) ? note : null, words.not_computed, words, sketch("output")));
    parts.push(gradientPart(node, output, many, state, words, sketch("gradient")));
  });
  parts.push(contributions(data, node, state, context));
  const reached = node.gradients.some((note, output) => note && state.has("gradient", node.id, output));
  parts.push(rulePart(data, node, reached, context));
  node.gradients.forEach((note, output) => {
    if (note && state.has("gradient", node.id, output)) parts.push(threeWays(data, node, output, note, context));
  });
  if (node.grad && state.step.phase !== "forward") parts.push(gradField(node, state, words));
  if (state.step.phase !== "update") parts.push(...updates);
  parts.push(facts(node, words), savedPart(data, node, state, context), statistics(node, state, words));
  return parts.filter(Boolean);
}

function header(data, node, words) {
  const names = [node.op, node.autograd].filter(Boolean).map((name) => plain(name)).join(" · ");
  return h("header", {},
    h("h2", {}, label(node)),
    h("p", { class: "op" }, node.kind === "op" ? names : words[`kind_${node.kind}`], data.pages[node.op] && [" · ", docsLink(data.pages[node.op], words)]),
    node.names.length > 1 && h("p", { class: "names" }, `${words.also}: ${node.names.filter((name) => name !== node.name).map((name) => plain(name)).join(", ")}`));
}

const docsLink = (page, words) => h("a", { class: "docs", href: page, target: "_blank", rel: "noopener noreferrer", title: page }, words.docs);

function found(finding, words) {
  return h("p", { class: `found ${finding.severity}` }, severityIcon(finding.severity),
    h("span", {}, h("span", { class: "hidden" }, `${words[finding.severity]}: `), h("bdi", {}, finding.message)));
}

function quantity(title, side, note, absent, words, sketch) {
  const big = note && isNumber(note);
  return h("div", { class: `quantity ${side}` },
    h("h3", {}, title, note !== null && [" ", copyButton(note, words)]),
    note === null ? h("p", { class: "absent" }, absent)
      : big ? h("p", { class: "big" }, brief(note))
        : note.values !== undefined && note.values !== null && count(note) > 0 ? arrayCells(note, side)
          : h("p", { class: "summary" }, shapeText(note.shape), note.norm !== undefined && note.norm !== null
            ? h("span", {}, ` ${words.mean} ${figure(note.mean)} · ${words.std} ${figure(note.std)}`) : h("span", {}, ` ${words.values_left_out}`),
          broken(note, words)),
    note !== null && (sketch ? [histogram(sketch, side, words), sketch.heat[0].length > 1 && heatMap(sketch, side, words)]
      : (note.values === undefined || note.values === null) && stretch(note, side, words)));
}

function broken(note, words) {
  const parts = [note.nans ? `${note.nans} NaN` : null, note.infs ? `${note.infs} inf` : null].filter(Boolean);
  return parts.length ? h("strong", { class: "broken" }, ` ${parts.join(", ")}`) : null;
}

function gradientPart(node, output, many, state, words, sketch) {
  const note = node.gradients[output];
  if (!note) {
    const absent = node.status === "not executed" ? words.not_executed : words.no_gradient;
    const reason = node.reason ? words[`reason_${node.reason.replaceAll(" ", "_")}`] ?? absent : absent;
    return quantity(words.gradient + many, "gradient", null, reason, words);
  }
  return quantity(words.gradient + many, "gradient", state.has("gradient", node.id, output) ? note : null, words.not_computed, words, sketch);
}

// What came back along each wire, as it arrives, with the sum that this node works on.
function contributions(data, node, state, { words }) {
  const { book } = data;
  const edges = [...book.out(node.id)].filter(book.carries);
  const seeds = node.seeds.map((seed, output) => [seed, output]).filter(([seed]) => seed);
  if (edges.length + seeds.length < 2 && !seeds.length) return null;
  const rows = seeds.map(([seed, output]) => contributionRow(words.start, state.has("seed", node.id, output) ? seed : null, words));
  for (const index of edges.slice(0, MOST_ROWS)) rows.push(contributionRow(book.label(book.target[index]), state.has("contribution", index) ? book.contribution(index) : null, words));
  if (edges.length > MOST_ROWS) rows.push(h("tr", {}, h("td", { class: "more" }, `+${edges.length - MOST_ROWS}`), h("td", {})));
  const sum = edges.length + seeds.length > 1 ? state.sum(node.id, 0) : null;
  if (sum) {
    rows.push(h("tr", { class: "sum" }, h("td", {}, sum.arrived < sum.expected ? words.running_sum : words.sum),
      h("td", { class: "number gradient" }, sum.total === null || [sum.total].flat(Infinity).length > 4 ? `${sum.arrived} / ${sum.expected}` : total(sum.total))));
  }
  return h("div", { class: "part" }, h("h3", {}, words.contributions), h("table", { class: "rows" }, rows));
}

const total = (values) => ([values].flat(Infinity).length === 1 ? figure([values].flat(Infinity)[0]) : nested(values));

function contributionRow(name, note, words) {
  return h("tr", {}, h("td", {}, name), h("td", { class: note ? "number gradient" : "absent" }, note ? brief(note) : words.not_computed));
}

function gradField(node, state, words) {
  const done = state.has("grad", node.id);
  const value = (note) => (note ? brief(note) : words.empty);
  return h("div", { class: "part" }, h("h3", {}, ".grad"),
    h("p", { class: "change" }, h("span", { class: "number" }, value(node.grad.before)), " → ",
      done ? h("strong", { class: "number gradient" }, value(node.grad.after)) : h("span", { class: "absent" }, words.not_computed)));
}

function updatePart(update, index, state, words) {
  const done = state.has("parameter", update.node);
  const small = (note) => (note.values !== null && note.values !== undefined && count(note) <= 4);
  const settings = Object.entries(update.settings).map(([name, value]) => `${name} ${value}`).join(" · ");
  const parts = [h("h3", {}, update.optimizer ? `${words.update} · ${update.optimizer}` : words.update_by_hand)];
  if (!done) parts.push(h("p", { class: "absent" }, words.not_computed));
  else if (small(update.after)) {
    parts.push(h("p", { class: "change" }, h("span", { class: "number value" }, brief(update.before)), " → ", h("strong", { class: "number value" }, brief(update.after))));
  } else {
    parts.push(quantity(words.before, "value", update.before, "", words), quantity(words.after, "value", update.after, "", words));
  }
  if (settings) parts.push(h("p", { class: "settings" }, settings));
  if (update.rule) parts.push(maths(update.rule.maths, words.formula));
  if (done && update.rule) parts.push(...update.rule.lines.map((line) => equation(line)));
  const kept = Object.entries(update.state);
  if (done && kept.length) {
    parts.push(h("table", { class: "rows" }, kept.map(([name, note]) => h("tr", {}, h("td", {}, name), h("td", { class: "number" }, brief(note))))));
  }
  return h("div", { class: "part" }, parts);
}

function facts(node, words) {
  const note = node.outputs[0];
  const rows = [
    [words.module, plain(node.module)],
    [words.line, node.source && `${plain(node.source.file)}:${node.source.line}`],
    [words.shape, note && (note.shape.length ? shapeText(note.shape) : words.scalar)],
    [words.dtype, note && note.dtype],
    [words.device, note && note.device],
  ].filter(([, value]) => value);
  return h("div", { class: "part" }, h("table", { class: "rows facts" }, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)))));
}

// What the node keeps for backward, until which step: the engine lets go of it as soon as the node has run.
function savedPart(data, node, state, { words, onstep, freedAt }) {
  if (!node.saved.length) return null;
  const freed = freedAt(node.id);
  const when = (saved) => {
    if (saved.state !== "freed" || freed === null) return words[`saved_${saved.state}`];
    return [state.k < freed ? words.saved_until : words.saved_since, " ", h("button", { type: "button", class: "link", onclick: () => onstep(freed) }, words.saved_step.replace("{step}", freed))];
  };
  const bytes = node.saved.reduce((sum, saved) => sum + saved.bytes, 0);
  return h("details", { class: "part" }, h("summary", {}, `${words.saved} (${node.saved.length} · ${byteText(bytes)})`), h("table", { class: "rows" }, node.saved.map((saved) => h("tr", {},
    h("td", {}, saved.name), h("td", {}, shapeText(saved.shape)), h("td", {}, byteText(saved.bytes)), h("td", {}, when(saved)),
    h("td", {}, saved.shared_with === null ? "" : data.book.label(saved.shared_with))))));
}

function statistics(node, state, words) {
  const columns = [];
  if (node.outputs[0] && state.has("value", node.id, 0)) columns.push(["value", node.outputs[0]]);
  if (node.gradients[0] && state.has("gradient", node.id, 0)) columns.push(["gradient", node.gradients[0]]);
  const known = columns.filter(([, note]) => note.norm !== undefined && note.norm !== null && count(note) > 1);
  if (!known.length) return null;
  const rows = ["min", "max", "mean", "std", "norm", "zeros", "nans", "infs"].map((name) => h("tr", {}, h("th", { scope: "row" }, words[name]),
    known.map(([side, note]) => h("td", { class: `number ${side}` }, figure(note[name])))));
  return h("details", { class: "part", open: true }, h("summary", {}, words.statistics),
    h("table", { class: "rows" }, h("tr", {}, h("td", {}), known.map(([side]) => h("th", { scope: "col" }, words[side]))), rows));
}
