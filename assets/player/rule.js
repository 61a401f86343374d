// How a node makes gradients: our rule in words and in maths, and beside it the line that PyTorch has for it, or the program's own code.

import { h } from "./dom.js";
import { maths } from "./maths.js";

export function rulePart(data, node, words) {
  const rule = data.rules[node.id];
  if (rule === null && !node.formula) return null;
  return h("section", { class: "part rule" }, h("h3", {}, words.rule),
    rule !== null && [h("p", { class: "says" }, data.rule_words[rule]), maths(data.maths[rule], words.formula)],
    node.formula && ownLine(node.formula, rule !== null, words));
}

// What torch says is said to be torch's; it stays closed where there is a rule that reads better.
function ownLine(formula, closed, words) {
  const code = h("pre", { class: "formula", tabindex: "0" }, formula.text);
  if (formula.source === "explorer") return closed ? null : code;
  const title = { "derivatives.yaml": words.rule_torch, "user code": words.rule_program }[formula.source];
  return h("details", { open: !closed }, h("summary", {}, title), code);
}
