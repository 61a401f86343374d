// The player: one picture, all steps, moved through without asking anyone. `mountPlayer(root, data)` fills `root`.
//
// NOTE [state]: what stands on the screen after step k is worked out from k alone: each step says what it wrote, so a thing exists if the
// step that wrote it is at most k. Going back is the same as never having gone forward.

import { codePanel } from "./code.js";
import { controlBar } from "./controls.js";
import { h } from "./dom.js";
import { findingsPanel, severityIcon } from "./findings.js";
import { drawingFonts } from "./fonts.js";
import { brief, label, plain } from "./format.js";
import { verdictChip } from "./verification.js";
import { graphPanel } from "./graph.js";
import { inspectorPanel } from "./inspector.js";

const BEAT = 1100; // milliseconds a step at speed 1
let last = null; // which recording stood at which step, for a page that builds the player anew without telling

export function mountPlayer(root, data, { before = null, address = false, alone = false } = {}) {
  const words = data.texts;
  const total = data.steps.length;
  const listening = new AbortController();
  const when = timetable(data);
  const same = before && before.key === data.key;
  const state = { k: 1, playing: false, rate: 1, inspected: null, finding: null, ...(same ? before : {}) };
  state.k = Math.min(Math.max(1, same ? before.k : startingStep(data, address)), Math.max(1, total));
  let timer = null;
  let addressTimer = null;
  let frame = null;

  const go = (to, { keep = false, finding = null } = {}) => {
    const k = Math.min(total, Math.max(1, typeof to === "function" ? to(state.k) : to));
    if (!keep) pause();
    Object.assign(state, { k, finding, inspected: null });
    render();
  };
  const pause = () => { clearTimeout(timer); state.playing = false; };
  const beat = () => {
    timer = setTimeout(() => {
      go(state.k + 1, { keep: true });
      if (state.k < total) beat(); else { pause(); render(); }
    }, BEAT / state.rate);
  };
  const play = () => {
    if (state.playing) pause();
    else {
      state.playing = true;
      if (state.k >= total) state.k = 1;
      beat();
    }
    render();
  };
  // The step of one of these nodes: the next one in this phase, else the next at all; asking again goes on to the one after it.
  const jump = (nodes) => {
    const steps = [...nodes].flatMap((node) => when.stepsOf.get(node) ?? []).sort((one, other) => one - other);
    if (!steps.length) { pause(); state.inspected = [...nodes][0]; return render(); }
    const { phase } = data.steps[state.k - 1];
    const inPhase = steps.filter((k) => data.steps[k - 1].phase === phase);
    return go(steps.includes(state.k) ? steps.find((k) => k > state.k) ?? steps[0] : inPhase[0] ?? steps[0]);
  };

  // To the step at which a finding is seen, its node in the middle and its line marked; once more closes it again.
  const choose = (index) => {
    const { node, kind } = data.findings[index];
    const steps = when.stepsOf.get(node) ?? [];
    const phase = kind.endsWith("_gradient") ? "backward" : "forward";
    pause();
    if (state.finding === index) state.finding = null;
    else if (steps.length) go(steps.find((k) => data.steps[k - 1].phase === phase) ?? steps[0], { finding: index });
    else Object.assign(state, { finding: index, inspected: node });
    if (!steps.length || state.finding === null) render();
    requestAnimationFrame(() => {
      if (state.finding !== null) findings.reveal(index);
      if (state.finding !== null && node !== null) graph.find(data.boxes[node]);
    });
  };

  const nodesOfBox = groups(data.boxes.map((box, node) => [box, node]));
  const nodesOfLine = groups(data.nodes.flatMap(({ id, kind, source }) => (source && kind === "op" ? [[`${source.file}:${source.line}`, id]] : [])));
  const code = codePanel(data, { words, times: lineTimes(nodesOfLine, when.at), online: (file, line) => nodesOfLine.has(`${file}:${line}`) && jump(nodesOfLine.get(`${file}:${line}`)) });
  const graph = graphPanel(data, { words, at: when.at, dark: root.dataset.theme === "dark", onbox: (box) => nodesOfBox.has(box) && jump(nodesOfBox.get(box)) });
  const inspector = inspectorPanel(data, { words, onnode: (node) => { state.inspected = node; render(); } });
  const findings = findingsPanel(data, { words, onchoose: choose, onshow: (node) => {
    graph.element.scrollIntoView({ block: "nearest" });
    graph.element.focus({ preventScroll: true });
    graph.find(data.boxes[node]);
  } });
  const reveal = (index) => { if (state.finding !== index) choose(index); findings.reveal(index); };
  const bar = total ? controlBar(data, { words, go, play, speed: (rate) => { state.rate = rate; render(); } }) : null;
  const sentence = h("p", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" });
  const help = helpBox(words);
  root.replaceChildren(
    summary(data, words, { jump, reveal, help }),
    h("div", { class: "frame" }, code.element, graph.element, inspector.element),
    total ? sentence : "",
    bar?.element ?? h("p", { class: "empty" }, words.no_steps),
    findings.element,
    help.element,
  );

  const has = (what, ...place) => when.at(what, ...place) <= state.k;

  function render() {
    findings.show(state.finding);
    const line = state.finding === null ? null : data.findings[state.finding].source;
    if (!total) {
      code.show({ source: line, k: 0, phase: "finding" });
      return inspector.show({ inspected: state.inspected, step: { phase: "forward" }, has: () => true, sum: () => null });
    }
    last = { key: data.key, k: state.k };
    const step = data.steps[state.k - 1];
    const now = step.node === null ? null : data.boxes[step.node];
    const side = step.phase === "forward" ? "value" : "gradient";
    const box = ([what, node, , edge]) => data.boxes[what === "contribution" ? data.edges[edge][0] : node];
    const others = (references) => references.filter(([what]) => what !== "contribution" || step.phase !== "backward").map(box);
    const sent = step.writes.filter(([what]) => what === "contribution");
    const wires = step.phase === "backward" ? sent.map(([, , , edge]) => when.arrowOf.get(edge))
      : step.kind === "op" ? when.into.get(step.node)?.map((edge) => when.arrowOf.get(edge)) ?? [] : [];
    graph.show({
      k: state.k, now, side, wires: wires.filter((arrow) => arrow !== undefined),
      reads: others(step.reads), writes: [...others(step.writes), ...sent.map(box)],
    });
    const own = step.node === null ? null : data.nodes[step.node].source;
    code.show({ source: line ?? own, phase: line ? "finding" : side === "value" ? "forward" : "backward", k: state.k });
    const sum = (node, output) => when.sums.get(`${node}.${output}`)?.findLast(([k]) => k <= state.k)?.[1] ?? null;
    inspector.show({ inspected: state.inspected ?? step.node, step, has, sum });
    sentence.setAttribute("aria-live", state.playing ? "off" : "polite");
    sentence.className = `sentence ${side}`;
    sentence.replaceChildren(h("span", {}, numbersStrong(step.text)));
    bar.show(state);
    cancelAnimationFrame(frame); // what asks where things lie waits until all is written
    frame = requestAnimationFrame(() => { graph.follow(now); code.follow(); inspector.follow(); });
    if (address) {
      clearTimeout(addressTimer);
      addressTimer = setTimeout(() => rememberStep(state.k), 250);
    }
    return undefined;
  }

  document.addEventListener("keydown", (event) => {
    if (!total || !mine(event, root, alone)) return;
    const act = {
      ArrowRight: () => go((k) => k + 1), ArrowLeft: () => go((k) => k - 1), Home: () => go(1), End: () => go(total), " ": play,
      "+": () => graph.zoom(1.25), "=": () => graph.zoom(1.25), "-": () => graph.zoom(0.8), 0: () => graph.fit(),
      f: () => graph.follow(data.boxes[state.inspected ?? data.steps[state.k - 1].node ?? 0], { force: true }),
      Escape: () => { if (help.open()) help.close(); else { Object.assign(state, { inspected: null, finding: null }); render(); } }, "?": help.toggle,
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }, { signal: listening.signal });

  const sized = new ResizeObserver(() => graph.start(total ? data.boxes[data.steps[state.k - 1].node] : null));
  sized.observe(graph.element);
  if (same && before.view) graph.restore(before.view);
  const fonts = drawingFonts(data.picture.fonts);
  fonts.ready.then((there) => { if (there) graph.settle(); });
  render();
  return {
    state: () => ({ key: data.key, k: state.k, rate: state.rate, inspected: state.inspected, finding: state.finding, view: graph.view() }),
    stop: () => { pause(); clearTimeout(addressTimer); cancelAnimationFrame(frame); listening.abort(); sized.disconnect(); fonts.remove(); },
  };
}

// When each thing is written, by which steps a node is seen, and where edges lie in the picture.
function timetable(data) {
  const written = new Map();
  const stepsOf = new Map();
  data.steps.forEach((step, index) => {
    for (const [what, node, output, edge] of step.writes) {
      const key = what === "contribution" ? `${what}:${edge}` : what === "grad" || what === "parameter" ? `${what}:${node}` : `${what}:${node}.${output}`;
      if (!written.has(key)) written.set(key, index + 1);
    }
    if (step.node !== null) stepsOf.set(step.node, [...(stepsOf.get(step.node) ?? []), index + 1]);
  });
  const arrowOf = new Map(data.arrows.flatMap(([arrow, edges]) => edges.map((edge) => [edge, arrow])));
  const into = groups(data.edges.map((edge, index) => [edge[2], index]));
  const sums = groups(data.steps.flatMap((step, index) => step.sums.map((sum) => [`${sum.node}.${sum.output}`, [index + 1, sum]])));
  const at = (what, ...place) => written.get(`${what}:${place.join(".")}`) ?? Infinity;
  return { at, stepsOf, arrowOf, into, sums };
}

function groups(pairs) {
  const found = new Map();
  for (const [key, value] of pairs) {
    if (key === null) continue;
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(value);
  }
  return found;
}

// The numbers of a sentence stand out; digits inside names and shapes do not.
function numbersStrong(text) {
  return text.split(/((?<![\w.×])(?<!\[(?=\d+\]))−?\d+(?:\.\d+)?(?:e−?\d+)?(?!\w|×|\.\w))/u).map((part, index) => (index % 2 ? h("strong", {}, part) : part));
}

// From which step on a line has run, forwards and backwards.
function lineTimes(nodesOfLine, at) {
  return new Map([...nodesOfLine].map(([line, nodes]) => [line, {
    forward: Math.max(...nodes.map((node) => at("value", node, 0))),
    backward: Math.min(...nodes.map((node) => at("gradient", node, 0))),
  }]));
}

// Where one was, if it is the same recording; the address speaks only of the one that was open first.
function startingStep(data, address) {
  if (last) return last.key === data.key ? last.k : 1;
  const asked = address ? Number(new URLSearchParams(location.search).get("step")) : 0;
  return Number.isInteger(asked) && asked > 0 ? asked : data.start ?? 1;
}

function rememberStep(k) {
  const url = new URL(location.href);
  if (url.searchParams.get("step") === String(k)) return;
  url.searchParams.set("step", String(k));
  history.replaceState(history.state, "", url);
}

// Keys belong to the player while nothing else on the page wants them; `alone`: there is nothing else.
// Widgets of the page around that use these keys themselves; a mere container that has the focus does not.
const OWN_KEYS = ["radio", "radiogroup", "tab", "tablist", "combobox", "listbox", "option", "menu", "menuitem", "slider", "spinbutton", "grid", "dialog"]
  .map((role) => `[role=${role}]`).join(", ");

function mine(event, root, alone) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return false;
  const inside = root.contains(target);
  const slider = target.matches("input[type=range]");
  if (slider) return !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key) && inside;
  if (target.matches("input, textarea, select, [contenteditable=true]")) return false;
  if (target.closest("button, a, summary, [role=button]") && (event.key === " " || event.key === "Enter")) return false;
  return alone || inside || !target.closest(OWN_KEYS);
}

function summary(data, words, { jump, reveal, help }) {
  const leaves = data.nodes.filter((node) => node.grad && node.gradients[0]);
  const grave = gravest(data, words, reveal);
  const verdicts = verdictChip(data, words);
  let room = 110 - (grave ? 26 : 0) - (verdicts ? 18 : 0); // characters, so that this stays one line on a desk
  const named = leaves.filter((node) => { room -= Math.min(24, label(node).length) + 14; return room > 0; });
  const chips = named.map((node) => h("button", { type: "button", class: "chip", title: label(node), onclick: () => jump([node.id]) },
    h("span", { class: "name" }, label(node)), " ", h("span", { class: "number gradient" }, brief(node.gradients[0]))));
  const more = leaves.length - chips.length;
  return h("header", { class: "summary" },
    h("div", { class: "facts" },
      h("h1", {}, plain(data.title)),
      data.loss !== null && h("span", { class: "chip plain" }, words.loss, " ", h("span", { class: "number value" }, data.loss_text)),
      grave, verdicts,
      chips.length > 0 && h("span", { class: "found" }, `${words.gradients}:`), chips, more > 0 && h("span", { class: "more" }, `+${more}`),
      data.partial && h("span", { class: "chip warning" }, words.partial),),
    h("span", { class: "made" }, data.made),
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

function helpBox(words) {
  const keys = [["← →", words.key_step], ["Home End", words.key_ends], ["Space", words.key_play], ["+ − 0", words.key_zoom], ["F", words.key_focus], ["↑ ↓ Enter", words.key_lines], ["Esc", words.key_back], ["?", words.key_help]];
  const dialog = h("dialog", { class: "help", "aria-label": words.help },
    h("h2", {}, words.help), h("table", { class: "rows" }, keys.map(([key, what]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, what)))),
    h("p", {}, words.help_mouse),
    h("button", { type: "button", onclick: () => dialog.close() }, words.close));
  return { element: dialog, open: () => dialog.open, close: () => dialog.close(), toggle: () => (dialog.open ? dialog.close() : dialog.showModal()) };
}
