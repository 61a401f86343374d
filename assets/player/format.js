// Numbers, shapes and names as people read them; the same rules as explorer/steps.py.

export function figure(value) {
  if (typeof value === "string") return value === "nan" ? "NaN" : value.replace("-", "−");
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value).replace("-", "−");
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size < -4 || size >= 6) {
    const [digits, exponent] = value.toExponential(2).split("e");
    return `${digits}e${Number(exponent)}`.replaceAll("-", "−");
  }
  const decimals = size < 2 ? Math.max(4, 2 - size) : Math.max(0, 5 - size);
  let text = value.toFixed(decimals);
  if (text.includes(".")) text = text.replace(/0+$/, "").replace(/\.$/, "");
  return text.replace("-", "−");
}

export const shapeText = (shape) => `[${shape.join("×")}]`;

export function nested(values) {
  return Array.isArray(values) ? `[${values.map(nested).join(", ")}]` : figure(values);
}

export function count(note) {
  return note.shape.reduce((product, size) => (typeof size === "number" ? product * size : NaN), 1);
}

// A tensor in a few characters: its value, its few values, or its shape.
export function brief(note) {
  if (!note) return "–";
  if (note.values !== undefined && note.values !== null) {
    if (count(note) === 1) return figure([note.values].flat(Infinity)[0]);
    if (count(note) <= 4) return nested(note.values);
  }
  return shapeText(note.shape);
}

export const isNumber = (note) => Boolean(note) && note.values !== undefined && note.values !== null && count(note) === 1;

// A name on one line: what does not print, or turns the direction of text around, is written as an escape.
export function plain(name, longest = 200) {
  const short = name.length > longest ? `${name.slice(0, longest / 2)}…${name.slice(-longest / 2)}` : name;
  return short.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`);
}

export const label = (node) => plain(node.name || node.op || node.autograd || `#${node.id}`);

// A number of bytes with at most three figures: "590 kB".
export function byteText(size) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = size < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
  return `${Number((size / 1000 ** step).toPrecision(3))} ${units[step]}`;
}
