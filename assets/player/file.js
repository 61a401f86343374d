// The player in a file of its own: the recording stands beside it, in every language, and nobody is asked for anything.

import { h } from "./dom.js";
import { mountPlayer } from "./player.js";

const LANGUAGES = { en: "EN", ko: "한국어" };
const recording = JSON.parse(document.getElementById("recording").textContent);
const root = document.querySelector(".player");
const darkWished = matchMedia("(prefers-color-scheme: dark)");
const unpacked = new Map(); // language -> its pictures
let language = recording.data.language;
let player = null;
let standing = null; // the picture

function spoken() {
  const { data, others } = recording;
  const other = others.find((one) => one.language === language);
  return other ? { ...data, ...other, steps: data.steps.map((step, index) => ({ ...step, text: other.sentences[index] })) } : data;
}

// NOTE [packed]: the pictures after the first are compressed text; they are unpacked when the first of them is asked for.
function pictures() {
  if (!unpacked.has(language)) unpacked.set(language, unpack(recording.pictures[language]));
  return unpacked.get(language);
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

async function ask({ folding, act }) {
  const all = await pictures();
  const same = (one, other) => JSON.stringify(one.folding ?? one) === JSON.stringify(other);
  const from = all.findIndex((one) => same(one, folding));
  const found = act ? wanted(all, all[from] ?? all[0], act) : all[from];
  if (found) standing = found;
  player.show(found ?? { ...standing, said: spoken().texts.not_brought });
}

function wanted(all, from, act) {
  const way = from.ways[JSON.stringify(act)] ?? all[0].ways[JSON.stringify(act)];
  if (way !== undefined) return all[way];
  const target = act.reveal ?? act.into;
  const has = (picture) => (typeof target === "number" ? boxAt(picture, target)?.[0] === "n"
    : picture.foldable.some(([id]) => id === `cluster_${target}` || (act.reveal && id === target && !picture.cards.includes(id))));
  return target === undefined ? undefined : [from, ...all.toSorted((one, other) => one.svg.length - other.svg.length)].find(has);
}

function boxAt(picture, node) {
  let before = 0;
  for (const [box, count] of picture.boxes) {
    before += count;
    if (node < before) return box;
  }
  return null;
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
