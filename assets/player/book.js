// The recording as the player reads it. A small one is there as a whole; of a large one there are columns, a few numbers for each node,
// edge and step, and around the step in sight the sheets that tell all of it. What is asked of it is null until its sheet is there.
//
// NOTE [sheets]: the sheet before and the one behind come along, so that a key that is held down meets none that is missing. Only one
// request is under way; what is asked for meanwhile is asked once it is answered, as far as it is still wanted. `fetch(asked, answered)`
// is the page's; it may never answer.

import { isNumber, label } from "./format.js";

const KINDS = { o: "op", p: "parameter", i: "input", c: "constant", b: "buffer" };
const MOST_KEPT = 80; // sheets

export function bookOf(data, { fetch, onread }) {
  const whole = data.columns === undefined;
  const inside = whole ? wholeBook(data) : sheetBook(data, { fetch, onread });
  const { source, target, count, total, phaseAt, nodeAt } = inside;
  const into = linked(target, count.nodes);
  const out = linked(source, count.nodes);
  return {
    ...inside, whole,
    some: (test) => { for (let id = 0; id < count.nodes; id += 1) if (test(id)) return true; return false; },
    find: (test) => { for (let id = 0; id < count.nodes; id += 1) if (test(id)) return id; return undefined; },
    edge: (index) => [source[index], inside.output[index], target[index]],
    into, out,
    label: (id) => { const node = inside.node(id) ?? inside.near(id); return node ? label(node) : `#${id}`; },
    phases: () => phasesOf(total, (k) => (inside.kindAt(k) === "initialise" ? "initialise" : phaseAt(k)), inside.bounds),
    nodesOfLine: groups(Array.from({ length: count.nodes }, (_, id) => id).filter((id) => inside.kind(id) === "op" && inside.place(id))
      .map((id) => { const { file, line } = inside.place(id); return [`${file}:${line}`, id]; })),
    nodeAt,
  };
}

function wholeBook(data) {
  const { nodes, edges, steps } = data;
  const written = new Map();
  const stepsOf = new Map();
  steps.forEach((step, index) => {
    for (const [what, node, output, edge] of step.writes) {
      const key = what === "contribution" ? `${what}:${edge}` : what === "grad" || what === "parameter" ? `${what}:${node}` : `${what}:${node}.${output}`;
      if (!written.has(key)) written.set(key, index + 1);
    }
    if (step.node !== null) stepsOf.set(step.node, [...(stepsOf.get(step.node) ?? []), index + 1]);
  });
  const sums = groups(steps.flatMap((step, index) => step.sums.map((sum) => [`${sum.node}.${sum.output}`, [index + 1, sum]])));
  const numbered = new Set(data.updates.filter((update) => isNumber(update.after)).map((update) => update.node));
  const updates = groups(data.updates.map((update, index) => [update.node, [index, update]]));
  const headed = nodes.filter((node) => node.grad && node.gradients[0]);
  const thickness = () => edges.map(([, , , , note]) => (note && typeof note.norm === "number" && note.norm > 0 ? note.norm / Math.sqrt(Math.max(1, note.shape.reduce((product, size) => product * size, 1))) : null));
  return {
    total: steps.length, count: { nodes: nodes.length, edges: edges.length },
    source: edges.map((edge) => edge[0]), output: edges.map((edge) => edge[1]), target: edges.map((edge) => edge[2]),
    places: () => nodes.map((node) => node.source).filter(Boolean),
    step: (k) => steps[k - 1], phaseAt: (k) => steps[k - 1].phase, kindAt: (k) => steps[k - 1].kind, nodeAt: (k) => steps[k - 1].node,
    node: (id) => nodes[id], near: (id) => nodes[id], kind: (id) => nodes[id].kind, place: (id) => nodes[id].source,
    contribution: (index) => edges[index][4], carries: (index) => Boolean(edges[index][4]), graded: (id) => nodes[id].gradients.some(Boolean),
    at: (what, ...place) => written.get(`${what}:${place.join(".")}`) ?? Infinity,
    stepsOf: (id) => stepsOf.get(id) ?? [],
    sum: (node, output, k) => sums.get(`${node}.${output}`)?.findLast(([at]) => at <= k)?.[1] ?? null,
    updates: (id) => updates.get(id) ?? [], numbered: (id) => numbered.has(id),
    leaves: () => nodes.filter((node) => node.kind !== "op").slice(0, 300),
    headed: { count: headed.length, first: headed.map((node) => [node.id, label(node), node.gradients[0]]) },
    rule: (id) => (data.rules[id] === null ? null : { maths: data.maths[data.rules[id]], words: data.rule_words[data.rules[id]] }),
    arithmetic: (id) => (data.arithmetic ? data.arithmetic[id] : undefined), noted: (id, note) => data.notes[note], explains: Boolean(data.arithmetic),
    sketch: (name) => data.sketches[name],
    measures: (then) => then({ ...data.measures, edges: thickness() }), overlays: Object.keys(data.measures).filter((name) => data.measures[name].some((one) => one !== null)),
    names: (then) => then({ said: nodes.map(said), of: nodes.map((_, index) => index), stands: data.stands }),
    want() {}, missing: () => false,
  };
}

const said = (node) => [node.name, node.names, node.op, node.autograd, node.module, node.outputs.filter(Boolean).map((note) => note.shape)];

function sheetBook(data, { fetch, onread }) {
  const { columns } = data;
  const counts = { nodes: columns.kinds.length, edges: columns.carries.length };
  const [source, output, target] = [columns.from, columns.output, columns.to].map(summed);
  const [ops, backward, line] = [columns.forward, columns.backward, columns.line].map(summed);
  const places = columns.lines.map(([file, line_, end_line, code, column, end_column]) => ({ file, line: line_, end_line, code, column, end_column }));
  const firstOp = columns.initialise ? 1 : 0; // steps before it
  const lossStep = firstOp + ops.length + 1;
  const firstBackward = firstOp + ops.length + (columns.loss === null ? 0 : 1);
  const firstUpdate = firstBackward + backward.length;
  const total = firstUpdate + columns.updates.length;
  const times = (list, before) => {
    const found = new Int32Array(counts.nodes);
    for (let place = list.length - 1; place >= 0; place -= 1) found[list[place]] = before + place + 1;
    return found;
  };
  const [forwardAt, backwardAt] = [times(ops, firstOp), times(backward, firstBackward)];
  const updatesAt = groups(columns.updates.map((node, place) => [node, firstUpdate + place + 1]));
  const received = new Map(columns.received.map(([node, number, from]) => [`${node}.${number}`, backwardAt[from]]));
  const grads = new Set(columns.grads);
  const numbered = new Set(columns.numbered);
  const kind = (id) => KINDS[columns.kinds[id]];
  const orNever = (k) => k || Infinity;
  const at = (what, one, number) => {
    if (what === "value") return kind(one) === "op" ? orNever(forwardAt[one]) : firstOp || Infinity;
    if (what === "gradient") return received.get(`${one}.${number}`) ?? orNever(backwardAt[one]);
    if (what === "seed") return columns.loss === null ? Infinity : lossStep;
    if (what === "contribution") return columns.carries[one] === "1" ? orNever(backwardAt[target[one]]) : Infinity;
    if (what === "grad") return grads.has(one) ? orNever(backwardAt[one]) : Infinity;
    return updatesAt.get(one)?.[0] ?? Infinity;
  };
  const kindAt = (k) => (k <= firstOp ? "initialise" : k <= firstOp + ops.length ? "op" : k <= firstBackward ? "loss"
    : k > firstUpdate ? "update" : kind(backward[k - firstBackward - 1]) === "op" ? "backward" : "accumulate");
  const phaseAt = (k) => (k <= firstOp + ops.length ? "forward" : k <= firstBackward ? "loss" : k <= firstUpdate ? "backward" : "update");
  const nodeAt = (k) => (k <= firstOp ? null : k <= firstOp + ops.length ? ops[k - firstOp - 1] : k <= firstBackward ? columns.loss
    : k <= firstUpdate ? backward[k - firstBackward - 1] : columns.updates[k - firstUpdate - 1]);

  const sheets = new Map(); // number -> sheet, the one used last at the end
  const single = new Map(); // node -> the sheet that it came with alone
  const nodes = new Map();
  const near = new Map();
  const edges = new Map();
  const of = new Map(); // node -> the sheet that tells of it
  const names = { found: null, waiting: [] };
  const measures = { found: null, waiting: [] };
  const read = (sheet) => {
    sheet.nodes.forEach((node, index) => { nodes.set(node.id, node); of.set(node.id, { sheet, index }); });
    for (const node of sheet.near) near.set(node.id, node);
    for (const [edge, note] of sheet.edges) edges.set(edge, note);
    sheet.updatesOf = new Map(sheet.updates);
    if (sheet.number === null) { for (const node of sheet.nodes) single.set(node.id, sheet); return; }
    sheets.delete(sheet.number);
    sheets.set(sheet.number, sheet);
  };
  // What was not looked at for longest goes.
  const forget = () => {
    if (sheets.size + single.size <= MOST_KEPT) return;
    const kept = [...[...sheets.values()].slice(-MOST_KEPT / 2), ...[...single.values()].slice(-MOST_KEPT / 2)];
    for (const one of [sheets, single, nodes, near, edges, of]) one.clear();
    kept.forEach(read);
  };
  data.sheets.forEach(read);

  let asked = null;
  let wanted = { sheets: [], nodes: [] };
  const last = Math.max(0, Math.ceil(total / columns.sheet) - 1);
  const ask = () => {
    if (asked) return;
    const lacking = wanted.sheets.filter((number) => !sheets.has(number));
    const now = { sheets: lacking[0] === wanted.sheets[0] ? lacking.slice(0, 1) : lacking, nodes: wanted.nodes.filter((id) => !nodes.has(id)) };
    if (names.waiting.length) now.names = true;
    if (measures.waiting.length) now.measures = true;
    if (!now.sheets.length && !now.nodes.length && !now.names && !now.measures) return;
    asked = now;
    fetch({ key: data.key, ...now }, (answer) => {
      asked = null;
      if (!answer) return onread(false);
      answer.sheets.forEach(read);
      for (const [kept, found] of [[names, answer.names], [measures, answer.measures]]) {
        if (!found) continue;
        kept.found = found;
        for (const then of kept.waiting.splice(0)) then(found);
      }
      forget();
      onread(true);
      return ask();
    });
  };
  const later = (kept, then) => {
    if (kept.found) return then(kept.found);
    kept.waiting.push(then);
    return ask();
  };
  const table = (found, name) => (found.of instanceof Int32Array ? found : Object.assign(found, { of: summed(found.of), stands: summed(found.stands) }));
  const sheetOf = (k) => Math.floor((k - 1) / columns.sheet);
  return {
    total, count: counts, source, output, target, at, kind, kindAt, phaseAt, nodeAt,
    bounds: [[firstOp, "initialise"], [firstOp + ops.length, "forward"], [firstBackward, "loss"], [firstUpdate, "backward"], [total, "update"]],
    places: () => places,
    step(k) { const sheet = sheets.get(sheetOf(k)); return sheet ? sheet.steps[k - sheet.first] : null; },
    node: (id) => nodes.get(id) ?? null, near: (id) => near.get(id) ?? null, place: (id) => places[line[id] - 1] ?? null,
    contribution: (index) => edges.get(index) ?? null, carries: (index) => columns.carries[index] === "1", graded: (id) => columns.graded[id] === "1",
    stepsOf: (id) => [forwardAt[id], columns.loss === id ? lossStep : 0, backwardAt[id], ...(updatesAt.get(id) ?? [])].filter(Boolean),
    sum(node, number, k) {
      const { steps, first } = sheets.get(sheetOf(k)) ?? { steps: [], first: 0 };
      return steps.slice(0, k - first + 1).flatMap((step) => step.sums).findLast((sum) => sum.node === node && sum.output === number) ?? null;
    },
    updates: (id) => of.get(id)?.sheet.updatesOf.get(id) ?? [], numbered: (id) => numbered.has(id),
    leaves: () => columns.leaves.map((id) => nodes.get(id)).filter(Boolean),
    headed: columns.headed,
    rule(id) { const found = of.get(id); const rule = found?.sheet.rules[found.index] ?? null; return rule === null ? null : { maths: found.sheet.maths[rule], words: found.sheet.rule_words[rule] }; },
    arithmetic: (id) => of.get(id)?.sheet.arithmetic[id], noted: (id, note) => of.get(id).sheet.notes[note], explains: true,
    sketch: (name) => of.get(parseInt(name.slice(1), 10))?.sheet.sketches[name],
    measures: (then) => later(measures, then), overlays: ["gradient", "value", "time", "memory"],
    names: (then) => later(names, (found) => then(table(found))),
    // The step that is looked at, and the node; its neighbours in time come along.
    want(k, id) {
      const here = sheetOf(k);
      if (sheets.has(here)) { const sheet = sheets.get(here); sheets.delete(here); sheets.set(here, sheet); }
      wanted = { sheets: [here, here + 1, here - 1].filter((number) => number >= 0 && number <= last), nodes: id === null || nodes.has(id) ? [] : [id] };
      ask();
    },
    missing: (k, id) => !sheets.has(sheetOf(k)) || (id !== null && !nodes.has(id)),
  };
}

// A column as it was before it became differences.
function summed(steps) {
  const found = new Int32Array(steps.length);
  let sum = 0;
  for (let place = 0; place < steps.length; place += 1) { sum += steps[place]; found[place] = sum; }
  return found;
}

// number -> the places in `ends` where it stands.
function linked(ends, count) {
  const starts = new Int32Array(count + 1);
  for (const end of ends) starts[end + 1] += 1;
  for (let number = 0; number < count; number += 1) starts[number + 1] += starts[number];
  const places = new Int32Array(ends.length);
  const free = starts.slice();
  ends.forEach((end, place) => { places[free[end]] = place; free[end] += 1; });
  return (number) => places.subarray(starts[number], starts[number + 1]);
}

// The phases that there are, with their first and last step.
function phasesOf(total, phase, bounds) {
  const found = [];
  if (bounds) {
    let before = 0;
    for (const [end, name] of bounds) { if (end > before) found.push({ phase: name, first: before + 1, last: end }); before = end; }
    return found;
  }
  for (let k = 1; k <= total; k += 1) {
    const name = phase(k);
    const known = found.find((one) => one.phase === name);
    if (known) known.last = k; else found.push({ phase: name, first: k, last: k });
  }
  return found;
}

export function groups(pairs) {
  const found = new Map();
  for (const [key, value] of pairs) {
    if (key === null) continue;
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(value);
  }
  return found;
}
