// The code panel: the user's source, this step's expression marked, with bars for lines run forward and backward.

import { h } from "./dom.js";
import { plain } from "./format.js";

const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g; // what turns the direction of text: code is to be read as it runs

const MARKS = { forward: "value", backward: "gradient", finding: "pointed" };

export function codePanel(data, { words, times, online }) {
  const title = h("h2", {}, words.code);
  const body = h("div", { class: "code-body" });
  const element = h("section", { class: "panel code", "aria-label": words.code }, title, body);
  const files = linesByFile(data);
  const opened = new Map();
  let current = null;
  let marked = [];

  const open = (file) => {
    if (!opened.has(file)) opened.set(file, listing(files.get(file), (line) => online(file, line), (line) => times.get(`${file}:${line}`)));
    if (current !== file) {
      body.replaceChildren(opened.get(file).element);
      title.replaceChildren(plain(file));
      title.title = plain(file);
      current = file;
    }
    return opened.get(file);
  };
  const first = mostOps(data, files);
  if (first) open(first);
  else body.append(h("p", { class: "empty" }, words.no_code));

  return {
    element,
    follow() { if (marked.length) keepInSight(body, marked[0].element, marked[0].code.querySelector("mark")); },
    show({ source, k, phase }) {
      for (const row of marked) { row.code.replaceChildren(row.text); row.element.classList.remove("here"); }
      marked = [];
      if (source && files.has(source.file)) {
        const { rows } = open(source.file);
        const end = source.end_line ?? source.line;
        for (let line = source.line; line <= end; line += 1) {
          const row = rows.get(line);
          if (!row) continue;
          const from = line === source.line ? source.column : row.text.length - row.text.trimStart().length;
          const to = line === end ? source.end_column : row.text.length;
          row.code.replaceChildren(row.text.slice(0, from), h("mark", { class: MARKS[phase] }, row.text.slice(from, to)), row.text.slice(to));
          row.element.classList.add("here");
          marked.push(row);
        }
      }
      if (current) for (const row of opened.get(current).timed) {
        const done = row.times.backward <= k ? "backward" : row.times.forward <= k ? "forward" : "";
        if (row.done !== done) { row.done = done; row.element.dataset.done = done; }
      }
    },
  };
}

// Only the list scrolls, never the page.
function keepInSight(body, row, mark) {
  const top = row.offsetTop;
  if (top < body.scrollTop + 20 || top + row.offsetHeight > body.scrollTop + body.clientHeight - 20) body.scrollTop = top - body.clientHeight / 2;
  const right = mark.offsetLeft + Math.min(mark.offsetWidth, body.clientWidth - 60) + 12;
  body.scrollLeft = right > body.clientWidth ? right - body.clientWidth : 0;
}

// The lines that ran are one stop of the Tab key: up and down lead from one to the next, Enter goes to its step.
function withKeys(timed, onclick) {
  timed.forEach(([line, { element }], index) => {
    element.tabIndex = index ? -1 : 0;
    element.setAttribute("aria-keyshortcuts", "Enter");
    element.addEventListener("keydown", (event) => {
      const to = { ArrowDown: timed[index + 1], ArrowUp: timed[index - 1] }[event.key];
      if (event.key !== "Enter" && !to) return;
      event.preventDefault();
      if (!to) return onclick(line);
      element.tabIndex = -1;
      to[1].element.tabIndex = 0;
      return to[1].element.focus();
    });
  });
}

function linesByFile(data) {
  const files = new Map();
  for (const [file, content] of Object.entries(data.sources)) {
    files.set(file, content.split("\n").map((code, index) => [index + 1, code]));
  }
  const known = new Map();
  for (const source of data.book.places()) {
    if (files.has(source.file)) continue;
    if (!known.has(source.file)) known.set(source.file, new Map());
    source.code.split("\n").forEach((code, index) => known.get(source.file).set(source.line + index, code));
  }
  for (const [file, lines] of known) files.set(file, [...lines].sort((one, other) => one[0] - other[0]));
  for (const lines of files.values()) while (lines.length && !lines[lines.length - 1][1].trim()) lines.pop();
  return files;
}

function mostOps(data, files) {
  const counts = new Map();
  for (const [line, nodes] of data.book.nodesOfLine) {
    const file = line.slice(0, line.lastIndexOf(":"));
    counts.set(file, (counts.get(file) ?? 0) + nodes.length);
  }
  const own = [...counts].filter(([file]) => file in data.sources).sort((one, other) => other[1] - one[1]);
  return own[0]?.[0] ?? [...files.keys()][0] ?? null;
}

function listing(lines, onclick, timesOf) {
  const rows = new Map();
  const element = h("ol", {});
  let before = 0;
  for (const [line, text] of lines) {
    const content = text.replace(TURNING, "\ufffd"); // one character for one, so that columns stay
    if (before && line !== before + 1) element.append(h("li", { class: "gap", "aria-hidden": "true" }, "⋮"));
    before = line;
    const code = h("code", {}, content);
    const row = h("li", { onclick: () => onclick(line) }, h("span", { class: "number" }, String(line)), code);
    rows.set(line, { element: row, code, text: content, done: "", times: timesOf(line) });
    element.append(row);
  }
  const timed = [...rows].filter(([, row]) => row.times);
  withKeys(timed, onclick);
  return { element, rows, timed: timed.map(([, row]) => row) };
}
