// A value as Python, on the clipboard.

import { button, h } from "./dom.js";

export function copyButton(note, words) {
  if (note.values === undefined || note.values === null) return null;
  const button = h("button", { type: "button", class: "copy", title: words.copy_help, onclick: async () => {
    const done = await toClipboard(asPython(note));
    button.textContent = done ? words.copied : words.copy_failed;
    setTimeout(() => { button.textContent = words.copy; }, 1500);
  } }, words.copy);
  return button;
}

// The way back to this very place: what the address says, at this step.
export function linkButton(words, { link }) {
  const said = h("span", { class: "hidden", role: "status" });
  const copy = button("link", words.link, async () => {
    const text = (await toClipboard(link())) ? words.link_copied : words.copy_failed;
    copy.title = said.textContent = text;
    copy.classList.add("told");
    setTimeout(() => { copy.title = words.link; said.textContent = ""; copy.classList.remove("told"); }, 2000);
  });
  copy.dataset.told = words.link_copied;
  return [copy, said];
}

export const asPython = (note) => `torch.tensor(${written(note.values)}, dtype=torch.${note.dtype})`;

function written(value) {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === "nan" || value === "inf" || value === "-inf") return `float("${value}")`;
  return String(value);
}

// A page from a file may have no clipboard of its own; a field that is copied from serves there.
export async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "hidden", "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
