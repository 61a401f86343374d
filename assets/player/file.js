// The player in a file of its own: the recording stands beside it, in every language, and nobody is asked for anything.

import { h } from "./dom.js";
import { mountPlayer } from "./player.js";

const LANGUAGES = { en: "EN", ko: "한국어" };
const recording = JSON.parse(document.getElementById("recording").textContent);
const root = document.querySelector(".player");
const darkWished = matchMedia("(prefers-color-scheme: dark)");
let language = recording.data.language;
let player = null;

function spoken() {
  const { data, others } = recording;
  const other = others.find((one) => one.language === language);
  return other ? { ...data, ...other, steps: data.steps.map((step, index) => ({ ...step, text: other.sentences[index] })) } : data;
}

function show() {
  const before = player?.state() ?? null;
  player?.stop();
  const theme = recording.theme ?? (darkWished.matches ? "dark" : "light");
  document.documentElement.dataset.theme = root.dataset.theme = theme;
  document.documentElement.lang = root.lang = language;
  player = mountPlayer(root, spoken(), { before, alone: true });
  for (const button of choices) button.setAttribute("aria-pressed", String(button.lang === language));
}

const names = [recording.data, ...recording.others].map((one) => one.language).sort();
const choices = names.map((name) => h("button", { type: "button", lang: name, onclick: () => { language = name; show(); } }, LANGUAGES[name] ?? name));
document.querySelector(".top").append(h("div", { class: "languages", role: "group", "aria-label": "Language · 언어" }, choices));
darkWished.addEventListener("change", () => recording.theme ?? show());
show();
