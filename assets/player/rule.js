// How a node makes gradients: our rule in words, in maths and with this recording's numbers, and beside it what PyTorch or the program says.

import { h } from "./dom.js";
import { maths } from "./maths.js";

const LONG = 150; // characters of a term that one opens to see whole

// The numbers stand there once the node has received its gradient; `onnode` inspects another node.
export function rulePart(data, node, reached, { words, onnode }) {
  const rule = data.book.rule(node.id);
  if (rule === null && !node.formula) return null;
  return h("section", { class: "part rule" }, h("h3", {}, words.rule),
    rule !== null && [h("p", { class: "says" }, rule.words), maths(rule.maths, words.formula)],
    rule !== null && reached && arithmetic(data, node, { words, onnode }),
    node.formula && ownLine(node.formula, rule !== null, words));
}

function arithmetic(data, node, { words, onnode }) {
  if (!data.book.explains) return h("p", { class: "why" }, data.too_many);
  const found = data.book.arithmetic(node.id);
  if (found === null) return h("p", { class: "why" }, words.too_long);
  if (!found) return null;
  const [received, definitions, inputs] = found;
  if (!received.length && !definitions.length && !inputs.length) return null;
  return h("div", { class: "arithmetic" }, h("h3", {}, words.with_numbers),
    [...received, ...definitions].map((line) => equation(line)),
    inputs.map(([source, name, lines, verdict, note]) => h("div", { class: "input" },
      h("p", { class: "to" }, "→ ", h("button", { type: "button", class: "link", onclick: () => onnode(source) }, name)),
      lines.map((line) => equation(line)),
      h("p", { class: "why" }, VERDICTS[verdict] && h("span", { class: `verdict ${VERDICTS[verdict][1]}`, "aria-hidden": "true" }, `${VERDICTS[verdict][0]} `), data.book.noted(node.id, note)))));
}

const VERDICTS = { equal: ["✓", "equal"], close: ["≈", "close"], differs: ["✗", "wrong"] };

// "a = b = c" with a row for each step; the last is the result.
export function equation(line) {
  const [left, ...steps] = line.split(" = ");
  if (!steps.length) return h("p", { class: "equation" }, left);
  return h("p", { class: "equation" }, steps.map((step, index) => h("span", { class: index ? "row next" : "row" },
    index ? null : `${left} `, "= ", term(step, index > 0 && index === steps.length - 1))));
}

function term(step, isResult) {
  if (step.length <= LONG) return isResult ? h("strong", {}, step) : step;
  return h("details", { class: "long" }, h("summary", {}, step));
}

// What torch says is said to be torch's; it stays closed where there is a rule that reads better.
function ownLine(formula, closed, words) {
  const code = h("pre", { class: "formula", tabindex: "0" }, formula.text);
  if (formula.source === "explorer") return closed ? null : code;
  const title = { "derivatives.yaml": words.rule_torch, "user code": words.rule_program }[formula.source];
  return h("details", { open: !closed }, h("summary", {}, title), code);
}
