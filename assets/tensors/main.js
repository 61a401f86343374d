// The page on tensors: what was made and done, every tensor as cells with its storage, and what shares memory with what is pointed at.
// The server computes; everything that is only looked at stays here.

import { h, icon } from "./dom.js";
import { toClipboard } from "./copy.js";
import { byteText } from "./format.js";
import { form } from "./forms.js";
import { grid, shown } from "./grids.js";
import { lines } from "./lines.js";
import { misfit, short } from "./misfit.js";
import { elementsAt, indexOf, named, placeOf, sourcesOf, sumOf } from "./places.js";
import { storageSign, strip } from "./strip.js";

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const tuple = (sizes) => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;

// What stands in a card of a line of code: all that is short.
const inCard = (line) => {
  const plain = line.replace(/^\w = /, "").replace(/, generator=.*/, ", …)");
  return plain.length > 44 ? short(plain.replace(/\[.*\]/, "[…]"), 60) : plain;
};

// A number goes to the server as it was typed: here 1.0 would become 1, and to torch they are not the same.
const typed = (text) => ({ text: text.trim() });

// `kept` outlives this: what is chosen, typed and undone. `send(recipe)` asks the server to carry out another recipe.
export function mountTensors(root, data, { kept, send }) {
  const { words, answer, recipe, texts } = data; // `texts`: the steps of the recipe as they go back to the server
  const tensors = (answer?.tensors ?? []).map((made) => ({ ...made }));
  const all = Object.fromEntries(tensors.map((made) => [made.name, made]));
  const steps = (answer?.steps ?? []).map((step, at) => ({ ...step, given: recipe[at] }));
  const madeBy = Object.fromEntries(steps.filter((step) => step.makes).map((step) => [step.makes, step]));
  const names = tensors.map((made) => made.name);
  const failed = answer?.error ?? null;
  const good = failed ? texts.slice(0, failed.step) : texts;
  const cards = {};
  if (kept.answers !== data.answers) {
    if (kept.count !== undefined && tensors.length > kept.count) { kept.selected = names.at(-1); kept.arrived = names.at(-1); }
    kept.count = tensors.length;
    kept.answers = data.answers;
    if (kept.pinned && !(all[kept.pinned.name]?.elements > kept.pinned.flat)) kept.pinned = null;
  }
  if (!names.includes(kept.selected)) kept.selected = names.at(-1);
  const focused = root.getRootNode().activeElement?.dataset?.key;

  const ask = (next) => {
    kept.past = [...kept.past, texts].slice(-50);
    kept.future = [];
    go(next);
  };
  const back = () => {
    kept.future.push(texts);
    go(kept.past.pop() ?? texts.slice(0, -1));
  };
  const forth = () => {
    kept.past.push(texts);
    go(kept.future.pop());
  };
  const go = (next) => {
    root.classList.add("waiting");
    root.setAttribute("aria-busy", "true");
    send(next);
  };
  const begin = () => { kept.selected = undefined; kept.pinned = null; kept.count = undefined; kept.slices = {}; };

  // What is pointed at, and what it lights up everywhere

  let pointed = kept.pinned;
  const readout = h("div", { class: "readout" });
  const live = h("p", { class: "hidden", "aria-live": "polite" });
  const drawArrow = (name, flat) => {
    for (const other of Object.values(cards)) other.arrow.replaceChildren();
    const card = cards[name];
    const [from, to] = [card?.grid.box(flat), card?.strip.box(placeOf(all[name], indexOf(flat, all[name].shape)))];
    if (!from || !to) return;
    const frame = card.element.getBoundingClientRect();
    const [x1, y1, x2, y2] = [from.left + from.width / 2 - frame.left, from.bottom - frame.top, to.left + to.width / 2 - frame.left, to.top - frame.top];
    if (y2 < y1) return;
    const bend = Math.max(14, (y2 - y1) / 2);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 2}m-4 -6l4 6l4 -6`);
    card.arrow.append(line);
  };
  const light = () => {
    const marks = Object.fromEntries(names.map((name) => [name, new Map()]));
    for (const [name, flat] of written()) marks[name].set(flat, "written");
    const add = (name, flat, mark) => marks[name]?.set(flat, marks[name].has(flat) ? `${marks[name].get(flat)} ${mark}` : mark);
    for (const name of names) cards[name].strip.light(undefined);
    if (pointed) {
      const made = all[pointed.name];
      const place = placeOf(made, indexOf(pointed.flat, made.shape));
      for (const other of tensors) {
        if (other.storage !== made.storage || other.dtype !== made.dtype) continue;
        cards[other.name].strip.light(place);
        for (const flat of elementsAt(other).get(place) ?? []) add(other.name, flat, other === made && flat === pointed.flat ? "here" : "same");
      }
      for (const [name, flat] of sourcesOf(madeBy[made.name], made, pointed.flat, all) ?? []) add(name, flat, "source");
    }
    for (const name of names) cards[name].grid.light(marks[name]);
    if (pointed) drawArrow(pointed.name, pointed.flat);
    else for (const card of Object.values(cards)) card.arrow.replaceChildren();
    tell();
  };

  // The elements that the last step wrote into, in every tensor that shares them.
  const written = () => {
    const last = steps.at(-1);
    if (last?.relation !== "write" || failed || !["set", "add_", "mul_"].includes(last.do)) return [];
    const target = all[last.of[0]];
    const exact = last.do === "set" && /^-?\d+(, ?-?\d+)*$/.test(last.given.index) && last.given.index.split(",").length === target.rank;
    const places = exact
      ? new Set([placeOf(target, last.given.index.split(",").map((word, dim) => (Number(word) + target.shape[dim]) % target.shape[dim]))])
      : last.do === "set" ? new Set() : new Set(elementsAt(target).keys());
    return last.shares.flatMap((name) => [...places].flatMap((place) => (elementsAt(all[name]).get(place) ?? []).map((flat) => [name, flat])));
  };

  const tell = () => {
    readout.replaceChildren();
    readout.classList.toggle("idle", !pointed);
    if (!pointed) { readout.append(h("p", { class: "quiet" }, words.press_a_cell)); live.textContent = ""; return; }
    const made = all[pointed.name];
    const index = indexOf(pointed.flat, made.shape);
    const place = placeOf(made, index);
    const value = shown(made.values[pointed.flat]);
    const kin = tensors.filter((other) => other.storage === made.storage && other.dtype === made.dtype)
      .flatMap((other) => (elementsAt(other).get(place) ?? []).filter((flat) => other !== made || flat !== pointed.flat).map((flat) => named(other.name, indexOf(flat, other.shape))));
    const terms = [...(made.offset || !made.rank ? [String(made.offset)] : []), ...index.map((at, dim) => `${at}×${made.strides[dim]}`)];
    const way = terms.length > 1 || made.rank ? `${terms.join(" + ")} = ${place}` : String(place);
    const step = madeBy[made.name];
    const changed = steps.slice(steps.indexOf(step) + 1).some((later) => later.relation === "write");
    const sum = changed ? null : sumOf(step, sourcesOf(step, made, pointed.flat, all), all, shown);
    const same = kin.length > 12 ? [...kin.slice(0, 12), fill(words.more, { count: kin.length - 12 })] : kin;
    readout.append(
      h("p", { class: "what" }, h("code", {}, named(made.name, index)), " = ", h("b", {}, value), sum ? h("span", { class: "sum" }, ` = ${sum}`) : null),
      h("p", {}, fill(words.lies_at, { number: storageSign(made.storage) }), " ", h("code", {}, way)),
      h("p", { class: "kin" }, kin.length ? [`${words.same_element} `, same.map((name, at) => [at ? ", " : "", h("code", {}, name)])] : words.nothing_shares),
      kept.pinned ? writing(made, index) : h("p", { class: "quiet hint" }, words.press_to_write));
    live.textContent = `${named(made.name, index)} = ${value}. ${fill(words.lies_at, { number: made.storage + 1 })} ${place}. ${kin.length ? `${words.same_element} ${same.join(", ")}` : words.nothing_shares}`;
  };

  const writing = (made, index) => {
    const input = h("input", { type: "text", inputmode: "decimal", value: kept.writes ?? "99", "data-key": "write value", "aria-label": words.new_value,
      oninput: (event) => { kept.writes = event.target.value; } });
    const write = (event) => {
      event.preventDefault();
      ask([...good, { do: "set", of: made.name, index: index.join(", ") || "...", value: typed(input.value) }]);
    };
    return h("form", { class: "write", onsubmit: write }, h("code", {}, `${named(made.name, index).replace("()", "...")} =`), input,
      h("button", { type: "submit", class: "primary", "data-key": "write" }, words.write),
      h("button", { type: "button", onclick: letGo }, words.let_go));
  };

  const letGo = () => {
    const was = kept.pinned;
    kept.pinned = pointed = null;
    light();
    if (was) cards[was.name]?.grid.focus(was.flat);
  };
  const point = (name, flat) => { if (!kept.pinned) { pointed = { name, flat }; light(); } };
  const leave = () => { if (!kept.pinned) { pointed = null; light(); } };
  const press = (name, flat, { byKey = false } = {}) => {
    const again = kept.pinned?.name === name && kept.pinned.flat === flat;
    kept.pinned = again ? null : { name, flat };
    pointed = { name, flat };
    select(name);
    light();
    if (!again && byKey) readout.querySelector("input")?.focus({ preventScroll: true });
  };
  const select = (name) => {
    kept.selected = name;
    for (const other of names) {
      cards[other].element.classList.toggle("selected", other === name);
      cards[other].choose.setAttribute("aria-pressed", String(other === name));
    }
    drawForm();
  };

  // Cards

  const card = (made) => {
    const step = madeBy[made.name];
    const kin = tensors.filter((other) => other.storage === made.storage && other.dtype === made.dtype);
    const hooks = {
      enter: (flat) => point(made.name, flat), leave, press: (flat, how) => press(made.name, flat, how),
      slice: (dim, at) => { (kept.slices[made.name] ??= [])[dim] = at; mountTensors(root, data, { kept, send }); },
    };
    const pinned = kept.pinned?.name === made.name ? kept.pinned.flat : undefined;
    const cells = grid(made, { chosen: kept.slices[made.name] ?? [], words, hooks, tabbed: pinned, narrow: root.clientWidth <= 480 });
    const memory = strip(made, kin, { words, fill });
    const arrow = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    arrow.classList.add("arrow");
    arrow.setAttribute("aria-hidden", "true");
    const choose = h("button", { type: "button", class: "name", "aria-pressed": String(made.name === kept.selected), "data-key": `card ${made.name}`,
      "aria-label": fill(words.choose, { name: made.name }), title: fill(words.choose, { name: made.name }), onclick: () => select(made.name) }, made.name);
    const facts = [
      [words.rank, made.rank], [words.shape, tuple(made.shape)], [words.strides, tuple(made.strides)], [words.offset, made.offset],
      [words.dtype, made.dtype], [words.device, made.device], [words.bytes, byteText(made.bytes)],
      [words.contiguous, made.contiguous ? words.yes : words.no],
    ];
    if (made.requires_grad) facts.push(made.grad_fn ? ["grad_fn", made.grad_fn, "double"] : ["requires_grad", "True"]);
    if (made.grad) facts.push([".grad", `[${made.grad.slice(0, 8).map(shown).join(", ")}${made.grad.length > 8 ? ", …" : ""}]`, "double"]);
    const element = h("article", { class: `card storage-${made.storage % 6}${made.name === kept.selected ? " selected" : ""}`, "data-name": made.name, style: `--wide: ${Math.max(300, cells.wide + 30)}px` },
      h("header", {}, choose, h("span", { class: "made-by" }, h("code", { title: step.line.slice(0, 400) }, inCard(step.line)), shapes(step, made)), relation(step)),
      cells.element, memory.element,
      h("dl", {}, facts.map(([label, value, wide]) => h("div", { class: wide }, h("dt", {}, label), h("dd", {}, String(value))))), arrow);
    cards[made.name] = { element, grid: cells, strip: memory, arrow, choose };
    return element;
  };

  const shapes = (step, made) => {
    if (!step.of.length) return null;
    const sign = { add: "+", sub: "−", mul: "*", div: "/", pow: "**", gt: ">", eq: "==", matmul: "@" }[step.do] ?? ",";
    return h("span", { class: "shapes quiet" }, `${step.of.map((name) => tuple(all[name].shape)).join(` ${sign} `)} → ${tuple(made.shape)}`);
  };

  const relation = (step) => {
    const whose = step.shares?.length ? step.shares.join(", ") : "";
    const text = { view: fill(words.view, { names: whose }), same: fill(words.same, { names: step.of[0] }), copy: words.copied_values, new: words.new }[step.relation];
    const title = { view: words.view_help, same: words.same_help, copy: words.copy_help, new: words.new_help }[step.relation];
    return h("span", { class: `relation ${step.relation}`, title }, text);
  };

  // Fields

  const common = {
    table: data.table, names, all, kept: kept.form, words, labels: data.labels, dtypes: data.dtypes, devices: data.devices, pictures: data.pictures, numbers: typed,
  };
  const makePlace = h("div", {});
  const drawMake = () => makePlace.replaceChildren(
    h("label", { class: "wide" }, h("span", {}, words.how), h("select", { "data-key": "make", onchange: (event) => { kept.make = event.target.value; drawMake(); } },
      data.makes.map(([name, text]) => h("option", { value: name, selected: name === kept.make }, text)))),
    form(kept.make, { ...common, apply: words.make, done: (step) => ask([...good, step]) }));
  const opPlace = h("div", {});
  const chooseOp = (name) => {
    kept.op = name;
    if (root.clientWidth <= 700) kept.open.ops = false;
    drawForm();
  };
  const drawForm = () => {
    if (!names.length) { opPlace.replaceChildren(h("p", { class: "quiet" }, words.make_first)); return; }
    const of = kept.selected;
    const focus = root.getRootNode().activeElement?.dataset?.key;
    opPlace.replaceChildren(
      h("p", { class: "on" }, words.on, names.map((name) => h("button", { type: "button", class: "name small", "aria-pressed": String(name === of), "data-key": `on ${name}`,
        onclick: () => select(name) }, name))),
      h("div", { class: "chosen" }, h("p", {}, h("code", {}, kept.op), " ", h("span", { class: "quiet" }, data.about[kept.op])),
        form(kept.op, { ...common, of, apply: fill(words.apply, { name: of }), done: (step) => ask([...good, step]) })),
      h("details", { class: "ops", open: kept.open.ops ?? root.clientWidth > 700, ontoggle: (event) => { kept.open.ops = event.target.open; } },
        h("summary", { "data-key": "ops" }, words.operations), h("div", {}, data.groups.map(([label, ops]) => h("div", { class: "group", role: "group", "aria-label": label }, h("span", { class: "quiet" }, label),
        h("div", { class: "chips" }, ops.map(([name, text]) => h("button", { type: "button", class: "chip", "aria-pressed": String(name === kept.op), "data-key": `op ${name}`,
          onclick: () => chooseOp(name) }, text))))))));
    if (focus?.startsWith("o")) [...opPlace.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focus)?.focus({ preventScroll: true });
  };

  // The whole

  const part = (name, title, content, open) => h("details", { class: "part", open: kept.open[name] ?? open,
    ontoggle: (event) => { kept.open[name] = event.target.open; } }, h("summary", { "data-key": `part ${name}` }, h("h2", {}, title)), content);
  const act = (text, drawn, onclick, disabled, key) => h("button", { type: "button", class: `tool ${key}`, disabled, onclick, "data-key": key }, drawn ? icon(drawn) : null, text);
  const link = act(words.link, "link", async () => {
    link.lastChild.textContent = (await toClipboard(window.location.href)) ? words.copied : words.copy_failed;
    setTimeout(() => { link.lastChild.textContent = words.link; }, 1800);
  }, !data.linked, "link");
  if (!data.linked) link.title = words.not_linked;
  const tools = h("div", { class: "tools" },
    act(words.undo, "undo", back, !recipe.length && !kept.past.length, "undo"),
    act(words.redo, "undo", forth, !kept.future.length, "redo"),
    act(words.reset, null, () => { begin(); ask([]); }, !recipe.length, "reset"), link);
  const samples = h("div", { class: "samples", role: "group", "aria-label": words.samples }, h("span", { class: "quiet" }, words.samples),
    data.samples.map(([text, steps_of], at) => h("button", { type: "button", class: "chip", "data-key": `sample ${at}`, onclick: () => { begin(); ask(steps_of); } }, text)));
  const problem = data.problem ? h("p", { class: "problem", role: "alert" }, data.problem) : null;
  root.replaceChildren(
    h("header", { class: "intro" }, h("h1", {}, words.title), h("p", {}, words.intro)), samples,
    h("div", { class: "bench" },
      h("aside", {}, part("make", words.make_title, makePlace, names.length < 1 || root.clientWidth > 700), part("op", words.op_title, opPlace, true)),
      h("div", { class: "work" }, tools, problem,
        tensors.length ? h("div", { class: "pointed" }, readout, live) : null,
        failed ? misfit(failed, steps[failed.step], words, data.why) : null,
        h("div", { class: "cards" }, tensors.map(card), tensors.length ? null : h("p", { class: "none" }, words.empty)),
        answer?.steps.length ? lines(answer, data.notes, words) : null)),
    comparison(data.comparison, words));
  root.onkeydown = (event) => { if (event.key === "Escape" && kept.pinned) letGo(); };
  drawMake();
  drawForm();
  if (tensors.length) light();
  root.classList.remove("waiting");
  root.removeAttribute("aria-busy");
  if (focused) [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused)?.focus({ preventScroll: true });
  if (kept.arrived && cards[kept.arrived]) cards[kept.arrived].element.scrollIntoView({ block: "nearest", behavior: "instant" });
  kept.arrived = null;
}

// Tensors beside NumPy's arrays, in short.
function comparison(rows, words) {
  return h("section", { class: "comparison", "aria-labelledby": "comparison-title" }, h("h2", { id: "comparison-title" }, words.beside_numpy),
    h("table", {},
      h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, "PyTorch"), h("th", { scope: "col" }, "NumPy"))),
      h("tbody", {}, rows.map(([topic, torch, numpy, says]) => h("tr", {}, h("th", { scope: "row" }, topic),
        h("td", { "data-label": "PyTorch" }, h("code", {}, torch)), h("td", { "data-label": "NumPy" }, numpy ? h("code", {}, numpy) : "–", says ? h("p", {}, says) : null))))));
}
