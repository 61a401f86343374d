// The findings: what a person should know of this pass. Pressing one leads to its node and its line and says what to do.

import { h, icon } from "./dom.js";
import { plain } from "./format.js";

const SEVERITIES = ["error", "warning", "info"];
const FEW = 4; // more than this, and they can be told apart by severity
const MOST = 8; // listed at once, before more are asked for

export const severityIcon = (severity) => h("span", { class: `severity ${severity}` }, icon(severity));
export const lineName = (source) => `${plain(source.file)}:${source.line}`;

export function findingsPanel(data, { words, onchoose, onshow }) {
  const { findings } = data;
  if (!findings.length) {
    const none = data.book.count.nodes ? h("p", { class: "findings none" }, words.no_findings) : "";
    return { element: none, show() {}, reveal() {} };
  }
  const list = h("ul", {});
  const more = h("button", { type: "button", class: "more link", onclick: () => { most = Infinity; fill(); } });
  const filter = severityFilter(findings, words, (severity) => { only = severity; fill(); });
  const element = h("section", { class: "findings", "aria-label": words.findings },
    h("div", { class: "heading" }, h("h2", {}, `${words.findings} (${findings.length})`), filter?.element), list, more);
  const made = new Map();
  let only = null;
  let most = MOST;
  let chosen = null;

  const itemOf = (index) => {
    if (!made.has(index)) made.set(index, item(findings[index], index, words, { onchoose, onshow }));
    return made.get(index);
  };
  const fill = () => {
    const wanted = findings.map((finding, index) => index).filter((index) => only === null || findings[index].severity === only);
    list.replaceChildren(...wanted.slice(0, most).map((index) => itemOf(index).element));
    more.textContent = words.more_findings.replace("{count}", wanted.length - most);
    more.hidden = wanted.length <= most;
    filter?.show(only);
  };
  fill();
  return {
    element,
    show(index) {
      if (chosen === index) return;
      if (chosen !== null) itemOf(chosen).open(false);
      if (index !== null) itemOf(index).open(true);
      chosen = index;
    },
    // From elsewhere on the page: the list shows this one and scrolls to it.
    reveal(index) {
      if (only !== null && only !== findings[index].severity) { only = null; fill(); }
      if (index >= most) { most = Infinity; fill(); }
      itemOf(index).element.scrollIntoView({ block: "nearest" });
    },
  };
}

function item(finding, index, words, { onchoose, onshow }) {
  const id = `finding-${index}`;
  const button = h("button", { type: "button", class: "finding", "aria-expanded": "false", "aria-controls": id, onclick: () => onchoose(index) },
    severityIcon(finding.severity),
    h("span", { class: "words" }, h("strong", {}, `${words[finding.severity]}: `), h("bdi", {}, finding.message)),
    finding.source && h("span", { class: "where" }, lineName(finding.source)));
  const related = finding.related.filter(([, source]) => source).map(([role, source]) => h("p", { class: "related" },
    words[`role_${role}`] ? `${words[`role_${role}`]}: ` : "", h("code", {}, `${lineName(source)}  ${plain(source.code.split("\n")[0].trim())}`)));
  const remedy = h("div", { class: "remedy", id, hidden: true },
    finding.remedy && h("p", {}, h("strong", {}, `${words.remedy}: `), h("bdi", {}, finding.remedy)), related,
    finding.node !== null && h("button", { type: "button", class: "link", onclick: () => onshow(finding.node) }, words.show));
  const element = h("li", { class: finding.severity }, button, remedy);
  return {
    element,
    open(yes) {
      button.setAttribute("aria-expanded", String(yes));
      element.classList.toggle("chosen", yes);
      remedy.hidden = !yes;
    },
  };
}

function severityFilter(findings, words, onchange) {
  const counts = SEVERITIES.map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length]).filter(([, count]) => count);
  if (findings.length <= FEW || counts.length < 2) return null;
  const choices = [[null, findings.length], ...counts].map(([severity, count]) => [severity, h("button", { type: "button", class: "choice", onclick: () => onchange(severity) },
    severity && severityIcon(severity), `${severity ? words[`${severity}s`] : words.all} ${count}`)]);
  return {
    element: h("div", { class: "filter", role: "group", "aria-label": words.filter }, choices.map(([, button]) => button)),
    show: (only) => { for (const [severity, button] of choices) button.setAttribute("aria-pressed", String(severity === only)); },
  };
}
