// Finding nodes and modules by name, op, class, module path or shape; what is found may be hidden in a closed module.

import { label, plain, shapeText } from "./format.js";
import { h } from "./dom.js";

const MOST_FOUND = 40; // results listed

// `onfind` gets {node} or {frame}; `onsee` the nodes found so far, to be marked in the picture.
export function searchBox(data, { words, onfind, onsee }) {
  let index = null; // made when first needed
  let waiting = false;
  let results = [];
  let active = 0;
  const list = h("ul", { class: "results", role: "listbox", id: "found", "aria-label": words.search_results, hidden: true });
  const input = h("input", {
    type: "search", role: "combobox", placeholder: words.search, "aria-label": words.search_help, title: words.search_help, autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", maxlength: 200,
  });
  const element = h("div", { class: "search" }, input, list);

  const panel = () => element.closest(".panel");
  const close = () => { list.hidden = true; panel()?.classList.remove("searching"); input.setAttribute("aria-expanded", "false"); };
  const take = (result) => {
    close();
    input.blur();
    onsee([]);
    onfind(result);
  };
  const point = (to) => {
    active = Math.max(0, Math.min(results.length - 1, to));
    [...list.querySelectorAll("[role=option]")].forEach((row, place) => {
      row.setAttribute("aria-selected", String(place === active));
      if (place === active) { input.setAttribute("aria-activedescendant", row.id); row.scrollIntoView({ block: "nearest" }); }
    });
  };
  const look = () => {
    const asked = input.value.trim().toLowerCase().replaceAll("×", "x").split(/\s+/).filter(Boolean);
    if (!asked.length) { results = []; onsee([]); return close(); }
    if (!index) data.book.names((names) => { index ??= entries(data, names); });
    if (!index) { waiting = true; return close(); } // it looks again once the names are there
    const all = index.filter((entry) => asked.every((part) => entry.text.includes(part) || entry.code?.includes(part)));
    all.sort((one, other) => rank(one, asked) - rank(other, asked) || one.order - other.order);
    results = all.slice(0, MOST_FOUND);
    list.replaceChildren(...results.map((entry, place) => h("li", { role: "option", id: `found-${place}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(entry); } },
      h("strong", {}, entry.title), h("span", { class: "what" }, entry.what), h("span", { class: "where" }, entry.where))));
    if (!results.length) list.append(h("li", { class: "none" }, words.search_none));
    else if (all.length > MOST_FOUND) list.append(h("li", { class: "none" }, words.search_more.replace("{count}", all.length - MOST_FOUND)));
    list.hidden = false;
    panel()?.classList.add("searching");
    input.setAttribute("aria-expanded", "true");
    onsee(all.flatMap((entry) => (entry.node === undefined ? [] : [entry.node])));
    return point(0);
  };
  input.addEventListener("input", look);
  input.addEventListener("focus", () => { if (input.value) look(); });
  input.addEventListener("blur", () => { close(); onsee([]); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { if (input.value && !list.hidden) { input.value = ""; look(); } else input.blur(); }
    else if (event.key === "ArrowDown") point(active + 1);
    else if (event.key === "ArrowUp") point(active - 1);
    else if (event.key === "Enter" && results[active]) take(results[active]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { element, focus: () => { input.focus(); input.select(); }, arrived: () => { if (waiting) { waiting = false; if (input.getRootNode().activeElement === input) look(); } } };
}

const lowered = new WeakMap(); // a line of code is that of many nodes

function codeOf(place) {
  if (!place) return "";
  if (!lowered.has(place)) lowered.set(place, place.code.toLowerCase().replaceAll("×", "x"));
  return lowered.get(place);
}

function entries(data, { said: table, of }) {
  const found = data.frames.map(([id, path, kind, , around], order) => ({
    frame: id, order, around, title: plain(path || kind), what: plain(kind), where: "", text: `${path} ${kind}`.toLowerCase(), name: path.toLowerCase(),
  }));
  const told = table.map(([name, names, op, autograd, module, shapesOf]) => {
    const shapes = shapesOf.filter((shape) => shape.length).map((shape) => shapeText(shape));
    const own = [...names, name, op, autograd].filter(Boolean);
    return {
      title: name || op || autograd ? label({ name, op, autograd }) : null, what: [name && op, shapes[0]].filter(Boolean).map((part) => plain(part)).join(" "), module: plain(module),
      text: [...own, module, ...shapes].join(" ").toLowerCase().replaceAll("×", "x"), name: own.join(" ").toLowerCase(),
    };
  });
  of.forEach((which, node) => {
    const { title, what, module, text, name } = told[which];
    const place = data.book.place(node);
    found.push({
      node, order: data.frames.length + node, title: title ?? `#${node}`, what, where: module || plain(place ? `${place.file}:${place.line}` : ""),
      text, code: codeOf(place), name,
    });
  });
  return found;
}

// A name that ends in what was typed comes first, then one that holds it, then all else; modules before ops.
function rank(entry, asked) {
  const [first] = asked;
  const hit = entry.name.endsWith(first) ? 0 : entry.name.includes(first) ? 2 : 4;
  return hit + (entry.frame === undefined ? 1 : 0);
}
