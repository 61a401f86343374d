// The control bar: buttons, the scrubber divided into phases, where one stands.
//
// NOTE [stretches]: the loss is one step of 1,581, and would be no pixel wide. So each phase has room for its name, and within it the steps
// lie evenly: the slider counts thousandths of the whole, which are turned into steps and back.

import { button, h, icon } from "./dom.js";

const SPEEDS = [0.5, 1, 2, 4];
const FINE = 10_000; // places of the slider
const NARROWEST = 0.075; // share of the slider that a phase has at least

export function controlBar(data, { words, go, play, speed }) {
  const { total } = data.book;
  const buttons = {
    first: button("first", words.first, () => go(1)),
    previous: button("previous", words.previous, () => go((k) => k - 1)),
    play: button("play", words.play, play),
    next: button("next", words.next, () => go((k) => k + 1)),
    last: button("last", words.last, () => go(total)),
  };
  const stretches = stretchesOf(data.book);
  const slider = h("input", { type: "range", min: "0", max: String(FINE), step: "any", value: "0", "aria-label": words.scrubber, oninput: () => go(stepAt(stretches, Number(slider.value))) });
  const keys = { ArrowRight: (k) => k + 1, ArrowUp: (k) => k + 1, ArrowLeft: (k) => k - 1, ArrowDown: (k) => k - 1, Home: () => 1, End: () => total, PageUp: (k) => k + 10, PageDown: (k) => k - 10 };
  slider.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    go(keys[event.key]);
  });
  const rates = h("select", { class: "speed", "aria-label": words.speed, title: words.speed, onchange: () => speed(Number(rates.value)) },
    SPEEDS.map((rate) => h("option", { value: String(rate) }, `${rate}×`)));
  const place = h("span", { class: "place" });
  const strip = phaseStrip(stretches, words, go);
  const track = h("div", { class: "track" }, h("div", { class: "phases", "aria-hidden": "true" }, [...strip.values()]), slider);
  const element = h("div", { class: "controls", role: "group", "aria-label": words.controls },
    h("div", { class: "buttons" }, buttons.first, buttons.previous, buttons.play, buttons.next, buttons.last), track, place, rates);
  return {
    element,
    show({ k, playing, rate }) {
      const { phase } = stretchAt(stretches, k);
      slider.value = String(placeOfStep(stretches, k));
      const where = words.step_of.replace("{step}", k).replace("{total}", total);
      slider.setAttribute("aria-valuetext", `${words[`phase_${phase}`]}, ${where}`);
      place.replaceChildren(h("strong", { class: `phase ${phase}` }, words[`phase_${phase}`]), ` ${where}`);
      for (const [name, part] of strip) part.classList.toggle("now", name === phase);
      buttons.first.disabled = buttons.previous.disabled = k === 1;
      buttons.next.disabled = buttons.last.disabled = k === total;
      const [name, title] = playing ? ["pause", words.pause] : ["play", words.play];
      if (buttons.play.dataset.shows !== name) {
        buttons.play.dataset.shows = name;
        buttons.play.replaceChildren(icon(name));
        buttons.play.title = title;
        buttons.play.setAttribute("aria-label", title);
      }
      rates.value = String(rate);
    },
  };
}

// The phases that there are, with their first and last step, and where they begin and end on the slider.
function stretchesOf({ phases, total }) {
  const found = phases();
  const free = Math.max(0, 1 - NARROWEST * found.length);
  const spare = found.map(({ first, last }) => Math.max(0, (last - first + 1) / total - NARROWEST));
  const sum = spare.reduce((one, other) => one + other, 0) || 1;
  let from = 0;
  return found.map((stretch, index) => {
    const to = from + (NARROWEST + (free * spare[index]) / sum) * FINE;
    const here = { ...stretch, from, to };
    from = to;
    return here;
  });
}

const stretchAt = (stretches, k) => stretches.find((stretch) => k >= stretch.first && k <= stretch.last) ?? stretches[0];

// A step stands in the middle of its share of the stretch; where it is the only one, at the beginning, so that the name can be read.
function placeOfStep(stretches, k) {
  const { first, last, from, to } = stretchAt(stretches, k);
  return from + (first === last ? 0.06 : (k - first + 0.5) / (last - first + 1)) * (to - from);
}

function stepAt(stretches, value) {
  const { first, last, from, to } = stretches.find((stretch) => value <= stretch.to) ?? stretches[stretches.length - 1];
  return Math.min(last, first + Math.floor(((value - from) / (to - from)) * (last - first + 1)));
}

function phaseStrip(stretches, words, go) {
  return new Map(stretches.map(({ phase, first, from, to }) => {
    const part = h("button", { type: "button", tabindex: "-1", class: `phase ${phase}`, onclick: () => go(first) }, h("span", {}, words[`phase_${phase}`]));
    part.style.left = `${(from / FINE) * 100}%`;
    part.style.width = `${((to - from) / FINE) * 100}%`;
    return [phase, part];
  }));
}
