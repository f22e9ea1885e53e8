// Rows of a repeat: added, taken out, and had back.
import { commitAll, structural } from "./capture_draft.js";
import { askOf, by, find, sheet, visible } from "./capture_page.js";

export function add(button) {
  structural({ op: "add", ref: button.dataset.add, count: Number(button.dataset.count) });
}

export function addNearest() {
  const here = document.activeElement;
  const own = here?.closest?.(".repeat[data-open='1']");
  const buttons = [...sheet.querySelectorAll(".add")].filter(visible);
  const after = buttons.find((button) => here && here.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING);
  const button = (own && [...own.children].find((node) => node.matches(".add"))) || after || buttons.at(-1);
  if (button) add(button);
}

export function remove(ref) {
  const row = find(ref);
  const repeat = row?.closest(".repeat");
  if (!repeat || repeat.dataset.open !== "1") return;
  structural({ op: "remove", ref, repeat: repeat.dataset.ref, count: Number(repeat.dataset.count) });
}

// What this one has in common with the one before it is taken over.
export function copy() {
  if (!by("copy")) return;
  structural({ op: "copy", ref: askOf(document.activeElement)?.dataset.ref ?? "" });
}

export function undo() {
  if (by("toast-undo").hidden) return;
  commitAll();
  structural({ op: "undo" });
}

by("copy")?.addEventListener("click", copy);
by("toast-undo").addEventListener("click", undo);
