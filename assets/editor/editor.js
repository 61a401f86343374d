// A field for a program: what is typed stands in a textarea, and the same text, coloured, right under it.

const KEYWORDS = new Set((
  "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match "
  + "nonlocal not or pass raise return try while with yield"
).split(" "));
const CONSTANTS = new Set(["True", "False", "None", "self", "cls"]);
// In this order: a comment; a string with its prefix, of three quotes or of one, closed or not yet; a number; a decorator; a word.
const TOKENS = new RegExp([
  /(?<comment>#[^\n]*)/,
  /(?<string>[rRbBuUfFtT]{0,2}(?:"""(?:[^\\]|\\[^])*?(?:"""|$(?![^]))|'''(?:[^\\]|\\[^])*?(?:'''|$(?![^]))|"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?))/,
  /(?<number>(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)j?)/,
  /(?<decorator>(?<=^[ \t]*)@[\w.]+)/,
  /(?<word>[\p{L}_][\p{L}\p{N}_]*)/,
].map((part) => part.source).join("|"), "gmu");
const MOST_COLOURED = 50_000; // characters: beyond them a key would be felt

// The text as pieces [kind or null, text].
function pieces(text) {
  const found = [];
  let last = 0;
  let before = "";
  for (const match of text.matchAll(TOKENS)) {
    let kind = Object.entries(match.groups).find(([, value]) => value !== undefined)[0];
    const [word] = match;
    if (kind === "word") {
      kind = KEYWORDS.has(word) ? "keyword" : CONSTANTS.has(word) ? "constant" : before === "def" || before === "class" ? "name" : null;
      before = word;
    }
    if (kind === null) continue;
    if (match.index > last) found.push([null, text.slice(last, match.index)]);
    found.push([kind, word]);
    last = match.index + word.length;
  }
  if (last < text.length) found.push([null, text.slice(last)]);
  return found;
}

function mountEditor(root, { text, words, tell, run }) {
  const area = root.querySelector("textarea");
  const ground = root.querySelector("pre");
  const gutter = root.querySelector(".gutter");
  let leaving = false; // Esc was pressed: Tab then leads out
  let told = text;

  const paint = () => {
    const parts = area.value.length > MOST_COLOURED ? [[null, area.value]] : pieces(area.value);
    ground.replaceChildren(...parts.map(([kind, part]) => {
      if (!kind) return part;
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = part;
      return span;
    }), "\n");
    const lines = area.value.split("\n").length;
    if (gutter.dataset.lines !== String(lines)) {
      gutter.dataset.lines = String(lines);
      gutter.textContent = Array.from({ length: lines }, (_, index) => index + 1).join("\n");
    }
  };
  const leave = (now) => {
    leaving = now;
    root.classList.toggle("leaving", now);
  };

  // Typed as by hand, so that the browser can undo it.
  const type = (words) => {
    if (!document.execCommand("insertText", false, words)) area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
  };
  const lineStart = (at) => area.value.lastIndexOf("\n", at - 1) + 1;
  const shift = (back) => {
    const from = lineStart(area.selectionStart);
    const end = area.selectionEnd;
    if (!back && !area.value.slice(area.selectionStart, end).includes("\n")) return type(" ".repeat(4 - ((area.selectionStart - from) % 4)));
    const lines = area.value.slice(from, end).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^( {1,4}|\t)/, "") : line && `    ${line}`)).join("\n");
    if (moved === lines.join("\n")) return;
    const several = lines.length > 1;
    const at = area.selectionStart;
    area.setSelectionRange(from, end);
    type(moved);
    if (several) area.setSelectionRange(from, from + moved.length);
    else area.setSelectionRange(...Array(2).fill(Math.max(from, at - (lines[0].length - moved.length))));
  };

  area.oninput = () => {
    leave(false);
    paint();
  };
  area.onblur = () => {
    leave(false);
    if (area.value !== told) tell(told = area.value);
  };
  area.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") leave(true);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run(told = area.value);
    } else if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      shift(event.shiftKey);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      const line = area.value.slice(lineStart(area.selectionStart), area.selectionStart);
      type(`\n${line.match(/^[ \t]*/)[0]}${/:\s*(#.*)?$/.test(line) ? "    " : ""}`);
    } else if (!["Tab", "Shift"].includes(event.key)) leave(false);
    event.stopPropagation();
  };
  if (area.value !== text) area.value = text;
  area.setAttribute("aria-label", words.label);
  root.querySelector(".keys").textContent = words.keys;
  paint();
  return { text: () => area.value };
}
