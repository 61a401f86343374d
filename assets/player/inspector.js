// The inspector: everything the trace knows of one node, as far as the steps have come. What does not exist yet is "not computed".

import { arrayCells } from "./cells.js";
import { brief, count, figure, isNumber, label, nested, shapeText } from "./format.js";
import { h } from "./dom.js";

export function inspectorPanel(data, { text, onnode, onjump }) {
  const body = h("div", { class: "inspector-body" });
  const element = h("section", { class: "panel inspector", "aria-label": text.inspector }, body);
  const consumers = new Map();
  data.edges.forEach((edge, index) => {
    if (!consumers.has(edge[0])) consumers.set(edge[0], []);
    consumers.get(edge[0]).push(index);
  });
  return {
    element,
    show(state) {
      const node = state.inspected === null ? null : data.nodes[state.inspected];
      body.replaceChildren(...(node ? nodeParts(data, node, state, { text, onjump, consumers }) : leafParts(data, state, { text, onnode })));
      body.scrollTop = 0;
    },
  };
}

function leafParts(data, state, { text, onnode }) {
  const leaves = data.nodes.filter((node) => node.kind !== "op");
  if (!leaves.length) return [h("p", { class: "empty" }, text.no_leaves)];
  const rows = leaves.slice(0, 300).map((node) => h("tr", {},
    h("td", {}, h("button", { type: "button", class: "link", onclick: () => onnode(node.id) }, label(node))),
    h("td", { class: "kind" }, text[`kind_${node.kind}`]),
    h("td", { class: "number value" }, brief(node.outputs[0]))));
  return [h("h2", {}, text.initialise), h("table", { class: "rows leaves" }, rows)];
}

function nodeParts(data, node, state, context) {
  const { text } = context;
  const parts = [header(data, node, text)];
  node.outputs.forEach((note, output) => {
    const many = node.outputs.length > 1 ? ` ${output}` : "";
    parts.push(quantity(text.value + many, "value", state.has("value", node.id, output) ? note : null, text.not_computed, text));
    parts.push(gradientPart(node, output, many, state, text));
  });
  parts.push(contributions(data, node, state, context));
  if (node.grad && state.step.phase !== "forward") parts.push(gradField(node, state, text));
  data.updates.forEach((update, index) => { if (update.node === node.id) parts.push(updatePart(update, index, state, text)); });
  parts.push(rule(node, text), facts(node, text), savedPart(data, node, text), statistics(node, state, text));
  return parts.filter(Boolean);
}

function header(data, node, text) {
  const names = [node.op, node.autograd].filter(Boolean).join(" · ");
  return h("header", {},
    h("h2", {}, label(node)),
    h("p", { class: "op" }, node.kind === "op" ? names : text[`kind_${node.kind}`]),
    node.names.length > 1 && h("p", { class: "names" }, `${text.also}: ${node.names.filter((name) => name !== node.name).join(", ")}`));
}

function quantity(title, side, note, absent, text) {
  const big = note && isNumber(note);
  return h("div", { class: `quantity ${side}` },
    h("h3", {}, title),
    note === null ? h("p", { class: "absent" }, absent)
      : big ? h("p", { class: "big" }, brief(note.shape.length > 1 ? { ...note, shape: [], values: [note.values].flat(Infinity)[0] } : note))
        : note.values !== undefined && note.values !== null && count(note) > 0 ? arrayCells(note, side)
          : h("p", { class: "summary" }, shapeText(note.shape), note.norm !== undefined && note.norm !== null
            ? h("span", {}, ` ${text.mean} ${figure(note.mean)} · ${text.std} ${figure(note.std)}`) : h("span", {}, ` ${text.values_left_out}`),
          broken(note, text)));
}

function broken(note, text) {
  const parts = [note.nans ? `${note.nans} NaN` : null, note.infs ? `${note.infs} inf` : null].filter(Boolean);
  return parts.length ? h("strong", { class: "broken" }, ` ${parts.join(", ")}`) : null;
}

function gradientPart(node, output, many, state, text) {
  const note = node.gradients[output];
  if (!note) {
    const reason = node.reason ? text[`reason_${node.reason.replaceAll(" ", "_")}`] ?? text.no_gradient : text.no_gradient;
    return quantity(text.gradient + many, "gradient", null, reason, text);
  }
  return quantity(text.gradient + many, "gradient", state.has("gradient", node.id, output) ? note : null, text.not_computed, text);
}

// What came back along each wire, as it arrives, with the sum that this node works on.
function contributions(data, node, state, { text, consumers }) {
  const edges = (consumers.get(node.id) ?? []).filter((index) => data.edges[index][4]);
  const seeds = node.seeds.map((seed, output) => [seed, output]).filter(([seed]) => seed);
  if (edges.length + seeds.length < 2 && !seeds.length) return null;
  const rows = seeds.map(([seed, output]) => contributionRow(text.start, state.has("seed", node.id, output) ? seed : null, text));
  for (const index of edges) rows.push(contributionRow(label(data.nodes[data.edges[index][2]]), state.has("contribution", index) ? data.edges[index][4] : null, text));
  const sum = edges.length + seeds.length > 1 ? state.sum(node.id, 0) : null;
  if (sum) {
    const arrived = sum.edges.length + (sum.seeded ? 1 : 0);
    rows.push(h("tr", { class: "sum" }, h("td", {}, arrived < sum.expected ? text.running_sum : text.sum),
      h("td", { class: "number gradient" }, sum.total === null ? `${arrived} / ${sum.expected}` : nested(sum.total))));
  }
  return h("div", { class: "part" }, h("h3", {}, text.contributions), h("table", { class: "rows" }, rows));
}

function contributionRow(name, note, text) {
  return h("tr", {}, h("td", {}, name), h("td", { class: note ? "number gradient" : "absent" }, note ? brief(note) : text.not_computed));
}

function gradField(node, state, text) {
  const done = state.has("grad", node.id);
  const value = (note) => (note ? brief(note) : text.empty);
  return h("div", { class: "part" }, h("h3", {}, ".grad"),
    h("p", { class: "change" }, h("span", { class: "number" }, value(node.grad.before)), " → ",
      done ? h("strong", { class: "number gradient" }, value(node.grad.after)) : h("span", { class: "absent" }, text.not_computed)));
}

function updatePart(update, index, state, text) {
  const done = state.has("parameter", update.node);
  const small = (note) => (note.values !== null && note.values !== undefined && count(note) <= 4);
  const settings = Object.entries(update.settings).map(([name, value]) => `${name} ${value}`).join(" · ");
  const parts = [h("h3", {}, update.optimizer ? `${text.update} · ${update.optimizer}` : text.update_by_hand)];
  if (!done) parts.push(h("p", { class: "absent" }, text.not_computed));
  else if (small(update.after)) {
    parts.push(h("p", { class: "change" }, h("span", { class: "number value" }, brief(update.before)), " → ", h("strong", { class: "number value" }, brief(update.after))));
  } else {
    parts.push(quantity(text.before, "value", update.before, "", text), quantity(text.after, "value", update.after, "", text));
  }
  if (settings) parts.push(h("p", { class: "settings" }, settings));
  const kept = Object.entries(update.state);
  if (done && kept.length) {
    parts.push(h("table", { class: "rows" }, kept.map(([name, note]) => h("tr", {}, h("td", {}, name), h("td", { class: "number" }, brief(note))))));
  }
  return h("div", { class: "part" }, parts);
}

function rule(node, text) {
  if (!node.formula) return null;
  const source = { "derivatives.yaml": "PyTorch derivatives.yaml", explorer: "Autograd Explorer", "user code": text.user_code }[node.formula.source];
  return h("div", { class: "part" }, h("h3", {}, text.rule),
    h("pre", { class: "formula" }, node.formula.text), h("p", { class: "settings" }, `${text.rule_from}: ${source}`));
}

function facts(node, text) {
  const note = node.outputs[0];
  const rows = [
    [text.module, node.module],
    [text.line, node.source && `${node.source.file}:${node.source.line}`],
    [text.shape, note && (note.shape.length ? shapeText(note.shape) : text.scalar)],
    [text.dtype, note && note.dtype],
    [text.device, note && note.device],
  ].filter(([, value]) => value);
  return h("div", { class: "part" }, h("table", { class: "rows facts" }, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)))));
}

function savedPart(data, node, text) {
  if (!node.saved.length) return null;
  return h("details", { class: "part" }, h("summary", {}, `${text.saved} (${node.saved.length})`), h("table", { class: "rows" }, node.saved.map((saved) => h("tr", {},
    h("td", {}, saved.name), h("td", {}, shapeText(saved.shape)), h("td", {}, `${saved.bytes} B`), h("td", {}, text[`saved_${saved.state}`]),
    h("td", {}, saved.shared_with === null ? "" : label(data.nodes[saved.shared_with]))))));
}

function statistics(node, state, text) {
  const columns = [];
  if (node.outputs[0] && state.has("value", node.id, 0)) columns.push(["value", node.outputs[0]]);
  if (node.gradients[0] && state.has("gradient", node.id, 0)) columns.push(["gradient", node.gradients[0]]);
  const known = columns.filter(([, note]) => note.norm !== undefined && note.norm !== null && count(note) > 1);
  if (!known.length) return null;
  const rows = ["min", "max", "mean", "std", "norm", "zeros", "nans", "infs"].map((name) => h("tr", {}, h("th", { scope: "row" }, text[name]),
    known.map(([side, note]) => h("td", { class: `number ${side}` }, figure(note[name])))));
  return h("details", { class: "part", open: true }, h("summary", {}, text.statistics),
    h("table", { class: "rows" }, h("tr", {}, h("td", {}), known.map(([side]) => h("th", { scope: "col" }, text[side]))), rows));
}
