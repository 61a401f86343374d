// The control bar: buttons, the scrubber divided into phases, where one stands.

import { button, h, icon } from "./dom.js";

const PHASES = ["forward", "loss", "backward", "update"];
export const SPEEDS = [0.5, 1, 2, 4];

export function controlBar(data, { words, go, play, speed }) {
  const total = data.steps.length;
  const buttons = {
    first: button("first", words.first, () => go(1)),
    previous: button("previous", words.previous, () => go((k) => k - 1)),
    play: button("play", words.play, play),
    next: button("next", words.next, () => go((k) => k + 1)),
    last: button("last", words.last, () => go(total)),
  };
  const slider = h("input", { type: "range", min: "1", max: String(total), step: "1", value: "1", "aria-label": words.scrubber, oninput: () => go(Number(slider.value)) });
  const rates = h("select", { class: "speed", "aria-label": words.speed, title: words.speed, onchange: () => speed(Number(rates.value)) },
    SPEEDS.map((rate) => h("option", { value: String(rate) }, `${rate}×`)));
  const place = h("span", { class: "place" });
  const track = h("div", { class: "track" }, phaseStrip(data, words, go), slider);
  const element = h("div", { class: "controls", role: "group", "aria-label": words.controls },
    h("div", { class: "buttons" }, buttons.first, buttons.previous, buttons.play, buttons.next, buttons.last), track, place, rates);
  return {
    element,
    show({ k, playing, rate }) {
      const { phase } = data.steps[k - 1];
      slider.value = String(k);
      const where = words.step_of.replace("{step}", k).replace("{total}", total);
      slider.setAttribute("aria-valuetext", `${words[phase]}, ${where}`);
      place.replaceChildren(h("strong", { class: `phase ${phase}` }, words[phase]), ` ${where}`);
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

// One coloured stretch a phase, its ends half-way between the last step of one and the first of the next.
function phaseStrip(data, words, go) {
  const span = Math.max(1, data.steps.length - 1);
  const strip = h("div", { class: "phases", "aria-hidden": "true" });
  for (const phase of PHASES) {
    const first = data.steps.findIndex((step) => step.phase === phase);
    if (first < 0) continue;
    const last = data.steps.findLastIndex((step) => step.phase === phase);
    const left = first === 0 ? 0 : (first - 0.5) / span;
    const right = last === data.steps.length - 1 ? 1 : (last + 0.5) / span;
    const part = h("button", { type: "button", tabindex: "-1", class: `phase ${phase}`, onclick: () => go(first + 1) }, h("span", {}, words[phase]));
    part.style.left = `${left * 100}%`;
    part.style.width = `${Math.max(0, right - left) * 100}%`;
    strip.append(part);
  }
  return strip;
}
