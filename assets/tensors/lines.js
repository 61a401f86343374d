// What was done, as code: PyTorch beside NumPy, where they differ in words, and both to copy.

import { h } from "./dom.js";
import { toClipboard } from "./copy.js";
import { short } from "./misfit.js";

export function lines(answer, notes, words) {
  const rows = answer.steps.map((step, at) => {
    const failed = answer.error?.step === at;
    const numpy = step.numpy.line;
    return h("li", { class: failed ? "failed" : undefined },
      h("code", { class: "torch" }, short(step.line)),
      h("code", { class: numpy ? "numpy" : "numpy absent" }, numpy ? short(numpy) : words.no_numpy),
      notes[at].length ? h("ul", { class: "notes" }, notes[at].map((note) => h("li", {}, note))) : null);
  });
  const good = answer.steps.filter((_, at) => answer.error?.step !== at);
  const torch = ["import torch", "", ...good.map((step) => step.line)].join("\n");
  const numpy = ["import numpy as np", "", ...good.filter((step) => step.numpy.line && !step.numpy.error).map((step) => step.numpy.line)].join("\n");
  return h("section", { class: "lines", "aria-labelledby": "lines-title" },
    h("div", { class: "title" }, h("h2", { id: "lines-title" }, words.code)),
    h("div", { class: "heads" },
      h("div", {}, h("h3", {}, `PyTorch ${answer.torch}`), copy(torch, `${words.copy} PyTorch`, words)),
      h("div", {}, h("h3", {}, `NumPy ${answer.numpy}`), copy(numpy, `${words.copy} NumPy`, words))),
    h("ol", {}, rows));
}

function copy(text, label, words) {
  const said = h("span", { class: "hidden", role: "status" });
  const button = h("button", { type: "button", class: "small", "aria-label": label, onclick: async () => {
    button.textContent = said.textContent = (await toClipboard(`${text}\n`)) ? words.copied : words.copy_failed;
    setTimeout(() => { button.textContent = words.copy; said.textContent = ""; }, 1800);
  } }, words.copy);
  return h("span", {}, button, said);
}
