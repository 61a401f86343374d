// What this is, in one line above everything, and the keys under "?".

import { linkButton } from "./copy.js";
import { h } from "./dom.js";
import { severityIcon } from "./findings.js";
import { brief, plain } from "./format.js";
import { verdictChip } from "./verification.js";

export function summary(data, words, { jump, reveal, help, link }) {
  const { count, first } = data.book.headed;
  const grave = gravest(data, words, reveal);
  const verdicts = verdictChip(data, words);
  let room = 110 - (grave ? 26 : 0) - (verdicts ? 18 : 0); // characters, so that this stays one line on a desk
  const named = first.filter(([, name]) => { room -= Math.min(24, name.length) + 14; return room > 0; });
  const chips = named.map(([node, name, gradient]) => h("button", { type: "button", class: "chip", title: name, onclick: () => jump([node]) },
    h("span", { class: "name" }, name), " ", h("span", { class: "number gradient" }, brief(gradient))));
  const more = count - chips.length;
  return h("header", { class: "summary" },
    h("div", { class: "facts" },
      h("h1", {}, plain(data.title)),
      data.loss !== null && h("span", { class: "chip plain" }, words.loss, " ", h("span", { class: "number value" }, data.loss_text)),
      grave, verdicts,
      chips.length > 0 && h("span", { class: "found" }, `${words.gradients}:`), chips, more > 0 && h("span", { class: "more" }, `+${more}`),
      data.partial && h("span", { class: "chip warning" }, words.partial),),
    h("span", { class: "made" }, data.made),
    link && linkButton(words, { link }),
    h("button", { type: "button", class: "icon question", title: words.help, "aria-label": words.help, onclick: help.toggle }, "?"));
}

// How many errors, or else warnings, there are; leads to the first.
function gravest(data, words, reveal) {
  const severity = ["error", "warning"].find((one) => data.findings.some((finding) => finding.severity === one));
  if (!severity) return null;
  const found = data.findings.filter((finding) => finding.severity === severity);
  return h("button", { type: "button", class: `chip grave ${severity}`, onclick: () => reveal(data.findings.indexOf(found[0])) },
    severityIcon(severity), ` ${found.length === 1 ? words[severity] : `${words[`${severity}s`]} ${found.length}`}`);
}

export function helpBox(words) {
  const keys = [["← →", words.key_step], ["Home End", words.key_ends], ["Space", words.key_play], ["+ − 0", words.key_zoom], ["F", words.key_focus], ["/", words.key_search], ["U", words.key_undo], ["↑ ↓ Enter", words.key_fold], ["↑ ↓ Enter", words.key_lines], ["Esc", words.key_back], ["?", words.key_help]];
  const dialog = h("dialog", { class: "help", "aria-label": words.help },
    h("h2", {}, words.help), h("table", { class: "rows" }, keys.map(([key, what]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, what)))),
    h("p", {}, words.help_mouse),
    h("button", { type: "button", onclick: () => dialog.close() }, words.close));
  return { element: dialog, open: () => dialog.open, close: () => dialog.close(), toggle: () => (dialog.open ? dialog.close() : dialog.showModal()) };
}
