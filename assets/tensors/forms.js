// The fields for making a tensor and for an operation: what each takes stands in the table that the server sends.

import { h } from "./dom.js";

const wholes = (text) => text.split(/[\s,]+/).filter(Boolean).map(Number);

// A form for `op`. `kept` holds what was typed; `names` are the tensors there are; `done(step)` is called with what was asked for.
export function form(op, { table, names, of, all, kept, words, labels, apply, done, dtypes, devices, pictures, numbers }) {
  const fields = table[op].filter(([name]) => name !== "of").map(([name, kind, fallback]) => {
    const key = `${op} ${name}`;
    const value = kept[key] ?? suggestion(op, name, kind, fallback, of && all[of], names, of, all);
    return [name, kind, ...field(name, kind, value, key, { names, kept, words, labels, dtypes, devices, pictures, numbers })];
  });
  const collect = (event) => {
    event.preventDefault();
    const step = { do: op };
    if (of) step.of = of;
    for (const [name, , , read] of fields) {
      const value = read();
      if (value !== null) step[name] = value;
    }
    done(step);
  };
  return h("form", { class: "fields", onsubmit: collect }, fields.map(([, , element]) => element),
    h("button", { type: "submit", class: "primary", "data-key": `apply ${of ? "op" : "make"}` }, apply));
}

// What a field begins with: something that works on the tensor that is chosen.
function suggestion(op, name, kind, fallback, made, names, of, all) {
  if (op === "reshape" || op === "view") return split(made.elements).join(", ");
  if (op === "permute") return made.shape.map((_, dim) => made.rank - 1 - dim).join(", ");
  if (op === "expand") return (made.shape.some((size) => size === 1) ? made.shape.map((size) => (size === 1 ? 3 : size)) : [2, ...made.shape]).join(", ");
  if (op === "take") return made.shape[0] > 1 ? "1, 0" : "0";
  if (kind === "index") return op === "set" ? made.shape.map(() => 0).join(", ") || "..." : made.rank > 1 ? "0:2, 1" : made.rank ? "1:" : "...";
  if (kind === "tensor" || kind === "operand") {
    const others = names.filter((one) => one !== of);
    const fitting = others.filter((one) => suits(op, made.shape, all[one].shape)).at(-1);
    return fitting ?? (kind === "operand" ? "2" : suits(op, made.shape, made.shape) ? of : others.at(-1) ?? of);
  }
  const plain = { "literal values": "[[1, 2, 3], [4, 5, 6]]", "arange end": "12", "full value": "7", "eye n": "3", "linspace end": "1", "linspace steps": "5",
    "set value": "99", "add_ value": "10", "mul_ value": "2", "sum dim": made?.rank ? "0" : "", "mean dim": made?.rank ? "0" : "",
    "amax dim": made?.rank ? "0" : "", "to_dtype dtype": "float32", "literal dtype": "", "image name": "digit" }[`${op} ${name}`];
  if (plain !== undefined) return plain;
  if (kind === "shape") return "2, 3";
  return fallback === null || fallback === undefined ? "" : String(fallback);
}

// Whether two shapes go together in an op.
function suits(op, one, two) {
  if (op === "matmul") return one.length > 0 && two.length > 0 && one.at(-1) === two.at(-2 + (two.length < 2));
  if (op === "stack" || op === "cat") return one.length === two.length && one.every((size, dim) => size === two[dim] || (op === "cat" && dim === 0));
  return [...one].reverse().every((size, at) => two.length <= at || size === 1 || two.at(-1 - at) === 1 || two.at(-1 - at) === size);
}

function split(elements) {
  for (let rows = Math.floor(Math.sqrt(elements)); rows > 1; rows -= 1) if (elements % rows === 0) return [rows, elements / rows];
  return [1, elements];
}

// The element of a field, and what reads it: null where it is left empty.
function field(name, kind, value, key, { names, kept, words, labels, dtypes, devices, pictures, numbers }) {
  const note = (event) => { kept[key] = event.target.type === "checkbox" ? event.target.checked : event.target.value; };
  const label = labels[name] ?? name;
  const own = { "data-key": key, oninput: note, autocomplete: "off", spellcheck: "false" };
  const wrap = (input, wide) => h("label", { class: wide ? "wide" : undefined }, h("span", {}, label), input);
  const select = (options, chosen) => h("select", { ...own, onchange: note }, options.map(([one, text]) => h("option", { value: one, selected: one === chosen }, text)));
  if (kind === "flag") {
    const box = h("input", { type: "checkbox", ...own, checked: value === true });
    return [h("label", { class: "check" }, box, h("span", {}, label)), () => box.checked || null];
  }
  if (kind === "dtype" || kind === "dtype!") {
    const input = select([...(kind === "dtype" ? [["", words.by_itself]] : []), ...dtypes.map((one) => [one, one])], value);
    return [wrap(input), () => input.value || null];
  }
  if (kind === "device") {
    const input = select(devices.map((one) => [one, one]), value || "meta");
    return [wrap(input), () => input.value];
  }
  if (kind === "picture") {
    const input = select(pictures, value);
    return [wrap(input), () => input.value];
  }
  if (kind === "tensor" || (kind === "operand" && names.length)) {
    const known = names.includes(value);
    const input = select([...names.map((one) => [one, one]), ...(kind === "operand" ? [["#", words.number]] : [])], known ? value : kind === "operand" ? "#" : names[0]);
    if (kind === "tensor") return [wrap(input), () => input.value];
    const numberKey = `${key} number`;
    const number = h("input", { type: "text", inputmode: "decimal", "data-key": numberKey, value: kept[numberKey] ?? (known ? "2" : value), "aria-label": words.number,
      oninput: (event) => { kept[numberKey] = event.target.value; } });
    const show = () => { number.hidden = input.value !== "#"; };
    input.addEventListener("change", show);
    show();
    return [h("span", { class: "pair" }, wrap(input), number), () => (input.value === "#" ? numbers(number.value) : input.value)];
  }
  if (kind === "values") {
    const input = h("textarea", { ...own, rows: 2 }, value);
    return [wrap(input, true), () => ({ text: input.value })];
  }
  const whole = ["int", "dim", "count", "seed"].includes(kind);
  const input = h("input", { type: whole ? "number" : "text", ...own, value, ...(kind === "dim" ? { placeholder: words.all } : {}) });
  const read = {
    shape: () => wholes(input.value),
    index: () => input.value.trim() || "...",
    number: () => numbers(input.value),
  }[kind] ?? (() => (input.value === "" ? null : Number(input.value)));
  return [wrap(input), read];
}
