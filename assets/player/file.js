// The player in a file of its own: the recording stands beside it, in every language, and nobody is asked for anything.

import { following, unpacked } from "./brought.js";
import { h } from "./dom.js";
import { mountPlayer } from "./player.js";

const LANGUAGES = { en: "EN", ko: "한국어" };
const recording = JSON.parse(document.getElementById("recording").textContent);
const root = document.querySelector(".player");
const darkWished = matchMedia("(prefers-color-scheme: dark)");
const unpackedOf = new Map(); // language -> its pictures
let language = recording.data.language;
let player = null;
let standing = null; // the picture

function spoken() {
  const { data, others } = recording;
  const other = others.find((one) => one.language === language);
  return other ? { ...data, ...other, steps: data.steps.map((step, index) => ({ ...step, text: other.sentences[index] })) } : data;
}

function pictures() {
  if (!unpackedOf.has(language)) unpackedOf.set(language, unpacked(recording.pictures[language]));
  return unpackedOf.get(language);
}

async function ask(asked) {
  const found = following(await pictures(), asked);
  if (found) standing = found;
  player.show(found ?? { ...standing, said: spoken().texts.not_brought });
}

async function speak(name) {
  language = name;
  if (standing) {
    const before = JSON.stringify(standing.folding);
    standing = (await pictures()).find((one) => JSON.stringify(one.folding) === before) ?? null;
  }
  show();
}

function show() {
  const before = player?.state() ?? null;
  player?.stop();
  const theme = recording.theme ?? (darkWished.matches ? "dark" : "light");
  document.documentElement.dataset.theme = root.dataset.theme = theme;
  document.documentElement.lang = root.lang = language;
  const data = spoken();
  player = mountPlayer(root, data, { before, alone: true, pictures: { current: () => standing ?? data.picture, ask, note() {} } });
  for (const button of choices) button.setAttribute("aria-pressed", String(button.lang === language));
}

const names = [recording.data, ...recording.others].map((one) => one.language).sort();
const choices = names.map((name) => h("button", { type: "button", lang: name, onclick: () => speak(name) }, LANGUAGES[name] ?? name));
document.querySelector(".top").append(h("div", { class: "languages", role: "group", "aria-label": "Language · 언어" }, choices));
darkWished.addEventListener("change", () => recording.theme ?? show());
show();
