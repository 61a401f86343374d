// Formulas as MathML, taken over by name like a drawing: what is not known here does not arrive.

import { h } from "./dom.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set([
  "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded", "mphantom", "msub", "msup", "msubsup",
  "munder", "mover", "munderover", "mmultiscripts", "mtable", "mtr", "mtd",
]);
const PROPERTIES = new Set([
  "display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "separator", "form", "largeop", "movablelimits", "symmetric",
  "lspace", "rspace", "minsize", "maxsize", "accent", "accentunder", "linethickness", "columnalign", "width", "height", "depth",
]);

// A formula that scrolls within its own line where it is wider than its place; null where the text holds none.
export function maths(text, label) {
  const source = new DOMParser().parseFromString(text, "text/html").querySelector("math");
  return source && h("div", { class: "maths", role: "group", "aria-label": label, tabindex: "0" }, copyMaths(source));
}

// NOTE [braces]: a brace grows with what stands behind it only in a font made for maths, which many machines lack; so the brace before cases
// is a line along them, drawn by the style sheet.
function copyMaths(source) {
  if (source.localName === "mo" && source.textContent === "{" && source.nextElementSibling?.localName === "mtable") return "";
  const element = document.createElementNS(MATHML, source.localName);
  if (source.previousElementSibling?.textContent === "{") element.setAttribute("class", "cases");
  for (const attribute of source.attributes) if (PROPERTIES.has(attribute.name)) element.setAttribute(attribute.name, attribute.value);
  for (const child of source.childNodes) {
    if (child.nodeType === 3) element.append(child.nodeValue);
    else if (child.nodeType === 1 && child.namespaceURI === MATHML && ELEMENTS.has(child.localName)) element.append(copyMaths(child));
  }
  return element;
}
