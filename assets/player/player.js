// The player: all steps, moved through without asking anyone. `mountPlayer(root, data, { pictures })` fills `root`; `pictures` has the
// picture of what is open, and takes what a person asks to open.
//
// NOTE [state]: what stands on the screen after step k is worked out from k alone: each step says what it wrote, so a thing exists if the
// step that wrote it is at most k. Going back is the same as never having gone forward.

import { linkTo, linkedOverlay, rememberPicture, rememberStep, startingStep } from "./address.js";
import { bookOf } from "./book.js";
import { codePanel } from "./code.js";
import { controlBar } from "./controls.js";
import { h } from "./dom.js";
import { findingsPanel } from "./findings.js";
import { drawingFonts } from "./fonts.js";
import { graphPanel } from "./graph.js";
import { inspectorPanel } from "./inspector.js";
import { helpBox, summary } from "./summary.js";
import { graphTools } from "./tools.js";

const BEAT = 1100; // milliseconds a step at speed 1
const MOST_QUEUED = 8; // presses that wait for a picture
let last = null; // which recording stood at which step, for a page that builds the player anew without telling

export function mountPlayer(root, recording, { before = null, address = false, alone = false, shared = false, link = null, pictures, sheets = null } = {}) {
  const words = recording.texts;
  const listening = new AbortController();
  const book = bookOf(recording, { fetch: sheets, onread: (read) => arrived(read) });
  const data = { ...recording, book };
  const { total } = book;
  const same = before && before.key === data.key;
  const state = { k: 1, playing: false, rate: 1, inspected: null, finding: null, lens: null, thick: false, painted: address ? linkedOverlay(data) : data.overlay ?? null, past: [], ...(same ? before : {}) };
  state.k = Math.min(Math.max(1, same ? before.k : startingStep(data, address, last)), Math.max(1, total));
  let timer = null;
  let addressTimer = null;
  let frame = null;
  let lost = false; // whether the server does not answer
  // More of a large recording is there, or its server does not answer.
  const arrived = (read) => {
    lost = !read;
    tools.search.arrived();
    render();
  };

  const go = (to, { keep = false, finding = null } = {}) => {
    const k = Math.min(total, Math.max(1, typeof to === "function" ? to(state.k) : to));
    if (!keep) pause();
    Object.assign(state, { k, finding, inspected: null });
    if (state.lens?.kind === "lineage" || state.lens?.kind === "paths") state.lens = null;
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
    const steps = [...nodes].flatMap((node) => book.stepsOf(node)).sort((one, other) => one - other);
    if (!steps.length) { pause(); state.inspected = [...nodes][0]; return render(); }
    const phase = book.phaseAt(state.k);
    const inPhase = steps.filter((k) => book.phaseAt(k) === phase);
    return go(steps.includes(state.k) ? steps.find((k) => k > state.k) ?? steps[0] : inPhase[0] ?? steps[0]);
  };

  // To the step at which a finding is seen, its node in the middle and its line marked; once more closes it again.
  const choose = (index) => {
    const { node, kind } = data.findings[index];
    const steps = node === null ? [] : book.stepsOf(node);
    const phase = kind.endsWith("_gradient") ? "backward" : "forward";
    pause();
    if (state.finding === index) state.finding = null;
    else if (steps.length) go(steps.find((k) => book.phaseAt(k) === phase) ?? steps[0], { finding: index });
    else Object.assign(state, { finding: index, inspected: node });
    if (!steps.length || state.finding === null) render();
    requestAnimationFrame(() => {
      if (state.finding !== null) findings.reveal(index);
      if (state.finding !== null && node !== null) graph.find(boxOf(node));
    });
  };

  const boxOf = (node) => graph.scene()?.boxOf[node] ?? null;
  // A press on a box leads to its step, and lights up what it comes from and leads to; with Shift, the paths from the one before to it.
  const press = (box, shift) => {
    const nodes = graph.scene().nodesOf.get(box);
    if (!nodes) return;
    const from = state.lens?.node ?? state.lens?.to;
    if (shift && from !== undefined) { state.lens = { kind: "paths", from, to: nodes[0] }; return void render(); }
    jump(nodes);
    state.lens = { kind: "lineage", node: nodes[0] };
    render();
  };
  // NOTE [one at a time]: what is pressed while a picture is being drawn waits for it: it speaks of what will stand there then.
  let asked = null; // what nobody has answered yet, and the folding to come back to from it
  let queued = [];
  let sought = null; // the node or module that the next picture is to show
  const inTurn = (act) => {
    if (!asked) act();
    else if (queued.length < MOST_QUEUED) queued.push(act);
  };
  const request = (folding, act, from) => {
    asked = { from };
    graph.busy(true);
    pictures.ask({ key: data.key, folding, act, overlay: state.painted });
  };
  // Another picture is asked for; the one that stands is kept, to come back to.
  const ask = (act, target = act.into ? { frame: act.into } : null) => inTurn(() => {
    const picture = graph.scene()?.picture;
    if (!picture) return;
    sought = target;
    request(picture.folding, act, picture.folding);
  });
  const undo = () => {
    if (!state.past.length && !asked) return false;
    inTurn(() => { if (state.past.length) request(state.past.pop(), null, null); });
    return true;
  };
  const answered = () => {
    asked = null;
    sought = null;
    graph.busy(false);
    while (!asked && queued.length) queued.shift()();
  };
  const unanswered = () => {
    queued = [];
    answered();
    graph.tell(words.unanswered);
  };
  // Nothing is drawn anew for it, but what is taken home from the page wears it too.
  const noteOverlay = () => {
    if (!address) return;
    inTurn(() => {
      const { picture } = graph.scene();
      rememberPicture(picture, state.painted);
      pictures.note({ key: data.key, folding: picture.folding, act: null, overlay: state.painted });
    });
  };
  const seek = ({ node, frame }) => {
    const target = { node, frame };
    const box = node === undefined ? frame : boxOf(node);
    if (graph.scene().byId.has(box) ? box[0] === "n" || box === frame : graph.scene().byId.has(`cluster_${frame}`)) return found(target);
    return ask({ reveal: node ?? frame }, target);
  };
  const found = ({ node, frame }) => {
    const { byId } = graph.scene();
    if (node !== undefined) { jump([node]); state.lens = { kind: "lineage", node }; render(); }
    const box = node === undefined ? (byId.has(frame) ? frame : `cluster_${frame}`) : boxOf(node);
    if (node === undefined) graph.point(box);
    requestAnimationFrame(() => graph.find(box));
    graph.room.focus({ preventScroll: true });
  };
  // `answer`: whether it is what was asked for; else the page around was drawn anew, mostly with what stands here already.
  const show = (picture, answer = true) => {
    if (picture.key !== data.key || picture.language !== data.language) return;
    const old = graph.scene()?.picture;
    const unfolded = !old || JSON.stringify(old.folding) !== JSON.stringify(picture.folding);
    if (!unfolded && !answer && old.svg === picture.svg && old.said === picture.said) return;
    if (answer && asked?.from && old && unfolded) state.past.push(asked.from);
    if (picture.fonts) more.push(drawingFonts(picture.fonts));
    graph.load(picture, state.painted);
    graph.start(total ? boxOf(book.nodeAt(state.k)) : null);
    render();
    if (address) rememberPicture(picture, state.painted);
    if (answer && sought && !picture.said) found(sought);
    else if (old && old.folding.focus !== picture.folding.focus && picture.folding.focus !== null) graph.fit();
    if (answer) answered();
  };
  const more = [];

  const { nodesOfLine } = book;
  const code = codePanel(data, { words, times: lineTimes(nodesOfLine, book.at), online: (file, line) => nodesOfLine.has(`${file}:${line}`) && jump(nodesOfLine.get(`${file}:${line}`)) });
  const tools = graphTools(data, {
    words, ask, undo, onfind: seek,
    onsee: (nodes) => graph.mark(nodes),
    onoverlay: (name) => { state.painted = name; graph.overlay(name); render(); noteOverlay(); },
    onthick: () => { state.thick = !state.thick; render(); },
    onlens: (lens) => {
      const node = current();
      state.lens = lens?.kind === "lineage" || lens?.kind === "reaches" ? { ...lens, node: lens.kind === "reaches" ? parameterNear(node) : node } : lens;
      if (graph.scene()?.picture.folding.focus !== null) ask({ focus: null });
      render();
    },
    onaround: (hops) => ask({ focus: current(), hops }),
  });
  const current = () => state.inspected ?? (total ? book.nodeAt(state.k) : null) ?? 0;
  // The parameter that is looked at, else the first one in front of the node that is.
  const parameterNear = (node) => {
    const isParameter = (one) => book.kind(one) === "parameter";
    if (isParameter(node)) return node;
    return Array.from(book.into(node), (edge) => book.source[edge]).find(isParameter) ?? book.find(isParameter);
  };
  const graph = graphPanel(data, { words, dark: root.dataset.theme === "dark", onbox: press, ask, tools: tools.element });
  const inspector = inspectorPanel(data, {
    words, onstep: go, onnode: (node) => { state.inspected = node; render(); },
    freedAt: (node) => book.stepsOf(node).find((k) => book.kindAt(k) === "backward") ?? null,
  });
  const findings = findingsPanel(data, { words, onchoose: choose, onshow: (node) => {
    graph.element.scrollIntoView({ block: "nearest" });
    graph.room.focus({ preventScroll: true });
    seek({ node });
  } });
  const reveal = (index) => { if (state.finding !== index) choose(index); findings.reveal(index); };
  const bar = total ? controlBar(data, { words, go, play, speed: (rate) => { state.rate = rate; render(); } }) : null;
  const sentence = h("p", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" });
  const help = helpBox(words);
  root.replaceChildren(
    summary(data, words, { jump, reveal, help, link: link ? () => link(state.k) : address && data.linked ? () => linkTo(state.k) : null }),
    h("div", { class: "frame" }, code.element, graph.element, inspector.element),
    total ? sentence : "",
    bar?.element ?? h("p", { class: "empty" }, words.no_steps),
    findings.element,
    help.element,
  );

  const has = (what, ...place) => book.at(what, ...place) <= state.k;

  function render() {
    findings.show(state.finding);
    const scene = graph.scene();
    tools.show({ folding: scene?.picture.folding, first: scene?.picture.first ?? true, foldable: [...(scene?.foldable.keys() ?? [])].some((id) => !id.startsWith("cluster_")), undoable: state.past.length > 0, painted: state.painted, thick: state.thick, shown: state.lens });
    graph.thicken(state.thick);
    graph.light(state.lens);
    const line = state.finding === null ? null : data.findings[state.finding].source;
    if (!total) {
      code.show({ source: line, k: 0, phase: "finding" });
      return inspector.show({ inspected: state.inspected, step: { phase: "forward" }, has: () => true, sum: () => null, k: 0 });
    }
    last = { key: data.key, k: state.k };
    book.want(state.k, state.inspected ?? book.nodeAt(state.k));
    const step = book.step(state.k) ?? { phase: book.phaseAt(state.k), kind: book.kindAt(state.k), node: book.nodeAt(state.k), reads: [], writes: [], text: lost ? words.step_unanswered : words.on_its_way };
    const now = step.node === null ? null : boxOf(step.node);
    const side = step.phase === "forward" ? "value" : "gradient";
    const box = ([what, node, , edge]) => boxOf(what === "contribution" ? book.source[edge] : node);
    const others = (references) => references.filter(([what]) => what !== "contribution" || step.phase !== "backward").map(box);
    const sent = step.writes.filter(([what]) => what === "contribution");
    const wires = step.phase === "backward" ? sent.map(([, , , edge]) => scene?.arrowOf.get(edge))
      : step.kind === "op" ? Array.from(book.into(step.node), (edge) => scene?.arrowOf.get(edge)) : [];
    graph.show({
      k: state.k, now, side, wires: wires.filter((arrow) => arrow !== undefined),
      reads: others(step.reads), writes: [...others(step.writes), ...sent.map(box)],
    });
    const own = step.node === null ? null : book.place(step.node);
    code.show({ source: line ?? own, phase: line ? "finding" : side === "value" ? "forward" : "backward", k: state.k });
    const sum = (node, output) => book.sum(node, output, state.k);
    inspector.show({ inspected: state.inspected ?? step.node, step, has, sum, k: state.k });
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

  // Esc: what lies on top goes first, then what stands out, then what was opened last.
  const back = () => {
    if (help.open()) return help.close();
    if (graph.closeMenu()) return graph.room.focus();
    if (state.inspected !== null || state.finding !== null || state.lens) { Object.assign(state, { inspected: null, finding: null, lens: null }); return render(); }
    return undo();
  };

  document.addEventListener("keydown", (event) => {
    if (!total || !mine(event, root, { alone, shared })) return;
    const act = {
      ArrowRight: () => go((k) => k + 1), ArrowLeft: () => go((k) => k - 1), Home: () => go(1), End: () => go(total), " ": play,
      "+": () => graph.zoom(1.25), "=": () => graph.zoom(1.25), "-": () => graph.zoom(0.8), 0: () => graph.fit(),
      f: () => graph.follow(boxOf(current()), { force: true }), "/": () => tools.search.focus(), u: undo, Backspace: undo,
      Escape: back, "?": help.toggle,
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }, { signal: listening.signal });

  const sized = new ResizeObserver(() => graph.start(total ? boxOf(book.nodeAt(state.k)) : null));
  sized.observe(graph.room);
  if (same && before.view) graph.restore(before.view);
  const fonts = drawingFonts(data.fonts);
  render();
  if (pictures.current()) show(pictures.current(), false);
  return {
    show,
    unanswered,
    go,
    state: () => ({
      key: data.key, k: state.k, rate: state.rate, inspected: state.inspected, finding: state.finding, lens: state.lens, thick: state.thick, painted: state.painted, past: state.past, view: graph.view(),
    }),
    stop: () => {
      pause();
      clearTimeout(addressTimer);
      cancelAnimationFrame(frame);
      listening.abort();
      sized.disconnect();
      for (const one of [fonts, ...more]) one.remove();
    },
  };
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

// Keys belong to the player while nothing else on the page wants them; `alone`: there is nothing else, `shared`: there are other players.
// Widgets of the page around that use these keys themselves; a mere container that has the focus does not.
const OWN_KEYS = ["radio", "radiogroup", "tab", "tablist", "combobox", "listbox", "option", "menu", "menuitem", "slider", "spinbutton", "grid", "dialog"]
  .map((role) => `[role=${role}]`).join(", ");

function mine(event, root, { alone, shared }) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return false;
  const inside = root.contains(target);
  const slider = target.matches("input[type=range]");
  if (slider) return !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key) && inside;
  if (target.matches("input, textarea, select, [contenteditable=true]")) return false;
  if (target.closest("button, a, summary, [role=button]") && (event.key === " " || event.key === "Enter")) return false;
  return alone || inside || (!shared && !target.closest(OWN_KEYS));
}
