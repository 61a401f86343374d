// Where elements lie: index, reading order, place in the storage; and which elements of the operands an element came from.

export const product = (sizes) => sizes.reduce((all, size) => all * size, 1);

export function indexOf(flat, shape) {
  const index = new Array(shape.length);
  for (let dim = shape.length - 1; dim >= 0; dim -= 1) {
    index[dim] = flat % shape[dim];
    flat = Math.floor(flat / shape[dim]);
  }
  return index;
}

export const flatOf = (index, shape) => index.reduce((flat, at, dim) => flat * shape[dim] + at, 0);

export const placeOf = (made, index) => index.reduce((place, at, dim) => place + at * made.strides[dim], made.offset);

// place in the storage -> the elements that lie there, in reading order; worked out once for each tensor
export function elementsAt(made) {
  if (!made.at) {
    made.at = new Map();
    for (let flat = 0; flat < made.elements; flat += 1) {
      const place = placeOf(made, indexOf(flat, made.shape));
      if (made.at.has(place)) made.at.get(place).push(flat);
      else made.at.set(place, [flat]);
    }
  }
  return made.at;
}

export const named = (name, index) => `${name}[${index.join(", ") || "()"}]`;

// The element of an operand that broadcasting brings to `index` of the result.
const broadcast = (index, shape) => index.slice(index.length - shape.length).map((at, dim) => (shape[dim] === 1 ? 0 : at));

const OP_SIGNS = { add: "+", sub: "−", mul: "×", div: "÷", pow: "^", gt: ">", eq: "=" };

// What element `flat` of the result of `step` is made of: [name, flat] each, in the order of the sum or product; null where it is only moved
// within shared memory, or where nothing is known. `all` are the tensors by name.
export function sourcesOf(step, result, flat, all) {
  const index = indexOf(flat, result.shape);
  const [one, two] = step.of.map((name) => all[name]);
  if (step.do in OP_SIGNS) {
    return step.of.map((name) => [name, flatOf(broadcast(index, all[name].shape), all[name].shape)]);
  }
  if (step.do === "matmul") return productSources(step, index, one, two);
  if (["sum", "mean", "amax", "argmax"].includes(step.do)) return reduced(step, index, one);
  if (["exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "neg", "sigmoid", "relu"].includes(step.do)) return [[step.of[0], flat]];
  if (step.relation !== "copy") return step.do === "cat" || step.do === "stack" ? joined(step, index, one, two) : null;
  if (["clone", "contiguous", "to_dtype", "to_device", "reshape", "flatten"].includes(step.do)) return [[step.of[0], flat]];
  if (step.do === "flip") {
    const dim = (step.given.dim + index.length) % index.length;
    return [[step.of[0], flatOf(index.map((at, d) => (d === dim ? one.shape[d] - 1 - at : at)), one.shape)]];
  }
  if (step.do === "take") {
    const row = step.given.rows[index[0]];
    return [[step.of[0], flatOf([row < 0 ? row + one.shape[0] : row, ...index.slice(1)], one.shape)]];
  }
  return null;
}

function productSources(step, index, one, two) {
  const inner = one.shape[one.rank - 1];
  const front = index.slice(0, index.length - (one.rank > 1) - (two.rank > 1));
  const row = one.rank > 1 ? [index[front.length]] : [];
  const column = two.rank > 1 ? [index[index.length - 1]] : [];
  const pairs = [];
  for (let k = 0; k < inner; k += 1) {
    const left = [...broadcast(front, one.shape.slice(0, -2)), ...row, k];
    const right = [...broadcast(front, two.shape.slice(0, -2)), k, ...column];
    pairs.push([step.of[0], flatOf(left, one.shape)], [step.of[1], flatOf(right, two.shape)]);
  }
  return pairs;
}

function reduced(step, index, one) {
  const { dim, keepdim } = step.given;
  if (dim === null || dim === undefined || !one.rank) return Array.from({ length: one.elements }, (_, flat) => [step.of[0], flat]);
  const along = (dim + one.rank) % one.rank;
  const rest = keepdim ? index.filter((_, d) => d !== along) : index;
  return Array.from({ length: one.shape[along] }, (_, k) => [step.of[0], flatOf([...rest.slice(0, along), k, ...rest.slice(along)], one.shape)]);
}

function joined(step, index, one, two) {
  const rank = index.length;
  const dim = (step.given.dim + rank) % rank;
  if (step.do === "stack") return [[step.of[index[dim]], flatOf(index.filter((_, d) => d !== dim), one.shape)]];
  const first = one.shape[dim] ?? 0;
  if (index[dim] < first) return [[step.of[0], flatOf(index, one.shape)]];
  return [[step.of[1], flatOf(index.map((at, d) => (d === dim ? at - first : at)), two.shape)]];
}

// "1 × 5 + 2 × 7" of an element; null where it would say nothing.
export function sumOf(step, sources, all, figure) {
  if (!sources) return null;
  const number = ([name, flat]) => (all[name].values ? figure(all[name].values[flat]) : "?");
  const bracket = (text) => (text.startsWith("−") ? `(${text})` : text);
  const shorten = (terms, sign) => (terms.length > 8 ? [...terms.slice(0, 4), "…", terms[terms.length - 1]] : terms).join(sign);
  if (step.do in OP_SIGNS) {
    const scalar = typeof step.given.other === "number" ? figure(step.given.other) : null;
    const right = sources[1] ? number(sources[1]) : scalar;
    return right === null ? null : `${number(sources[0])} ${OP_SIGNS[step.do]} ${bracket(right)}`;
  }
  if (step.do === "matmul") {
    const terms = [];
    for (let k = 0; k < sources.length; k += 2) terms.push(`${bracket(number(sources[k]))} × ${bracket(number(sources[k + 1]))}`);
    return shorten(terms, " + ");
  }
  if (step.do === "sum") return shorten(sources.map((one) => bracket(number(one))), " + ");
  if (step.do === "mean") return `(${shorten(sources.map((one) => bracket(number(one))), " + ")}) ÷ ${sources.length}`;
  if (step.do === "amax") return `max(${shorten(sources.map(number), ", ")})`;
  return null;
}
