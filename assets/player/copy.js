// A value as Python, on the clipboard.

import { h } from "./dom.js";

export function copyButton(note, words) {
  if (note.values === undefined || note.values === null) return null;
  const button = h("button", { type: "button", class: "copy", title: words.copy_help, onclick: async () => {
    const done = await toClipboard(asPython(note));
    button.textContent = done ? words.copied : words.copy_failed;
    setTimeout(() => { button.textContent = words.copy; }, 1500);
  } }, words.copy);
  return button;
}

export const asPython = (note) => `torch.tensor(${written(note.values)}, dtype=torch.${note.dtype})`;

function written(value) {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === "nan" || value === "inf" || value === "-inf") return `float("${value}")`;
  return String(value);
}

// A page from a file may have no clipboard of its own; a field that is copied from serves there.
async function toClipboard(text) {
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
