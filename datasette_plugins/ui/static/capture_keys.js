// The keys of the form page. Other modules add theirs: `onKey(handle)`, where `handle(event, ask)` returns true for a
// key it has dealt with; the last added is asked first.
import { all, entry, of, show, step } from "./capture_controls.js";
import { send } from "./capture_draft.js";
import { finderOf, takeKeyed } from "./capture_lists.js";
import { advance, pickByKey, toPart, toProblem } from "./capture_moves.js";
import { askOf, by, isText, visible } from "./capture_page.js";
import { addNearest, copy, remove, undo } from "./capture_rows.js";
import { save } from "./capture_saving.js";

const handlers = [];

export function onKey(handle) {
  handlers.unshift(handle);
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || document.querySelector("dialog[open]")) return;
  const ask = askOf(document.activeElement);
  if (handlers.some((handle) => handle(event, ask)) || shortcut(event, ask)) event.preventDefault();
});

function shortcut(event, ask) {
  const { key } = event;
  if ((event.ctrlKey || event.metaKey) && (key === "s" || key === "Enter")) return save(), true;
  if (event.altKey && !event.ctrlKey) return withAlt(event);
  if (key === "F1") return by("keys").showModal(), true;
  if (event.ctrlKey || event.metaKey) return false;
  return inQuestion(event, ask);
}

function withAlt({ code, key }) {
  if (code === "KeyN") return addNearest(), true;
  if (code === "KeyZ") return undo(), true;
  if (code === "KeyP") return copy(), true;
  if (code === "KeyJ") return toProblem(), true;
  if (key === "PageUp" || key === "PageDown") return toPart(key === "PageUp" ? -1 : 1), true;
  if (key !== "Delete") return false;
  const row = document.activeElement?.closest?.(".row");
  return row ? (remove(row.dataset.ref), true) : false;
}

function inQuestion(event, ask) {
  const { key, target } = event;
  if (!ask) return false;
  if (target.matches("[role=combobox]") && inList(finderOf(target), key)) return true;
  if (key === "Enter") {
    if (event.shiftKey && target.matches("textarea")) return false;
    if (target.matches(".unpick, .calendar")) return false;
    return advance(ask, event.shiftKey ? -1 : 1), true;
  }
  if (key === "Tab") return advance(ask, event.shiftKey ? -1 : 1), true;
  return isText(target) ? false : amongChoices(key, ask);
}

function amongChoices(key, ask) {
  if (/^[1-9]$/.test(key)) return pickByKey(ask, Number(key)), true;
  if (/^[a-z]$/i.test(key)) return pickByLetter(ask, key.toLowerCase());
  if (key === " " && ask.dataset.quick && document.activeElement.type === "radio") return pickHere(ask), true;
  if ((key === "Backspace" || key === "Delete") && of(ask).single) return clearPick(ask), true;
  if (!of(ask).stepped) return false;
  if (key === "ArrowDown" || key === "ArrowRight") return step(ask, 1), true;
  if (key === "ArrowUp" || key === "ArrowLeft") return step(ask, -1), true;
  return false;
}

// The choice that begins with a letter; where several do, each further press comes to the next of them, and Space takes it.
function pickByLetter(ask, letter) {
  const found = all(ask, ".pick[data-initials]").filter((pick) => visible(pick) && pick.dataset.initials.includes(letter));
  if (!found.length) return false;
  const boxes = found.map((pick) => pick.querySelector("input"));
  const next = boxes[(boxes.indexOf(document.activeElement) + 1) % boxes.length];
  if (boxes.length === 1) return pickByKey(ask, all(ask, ".pick").indexOf(found[0]) + 1), true;
  if (of(ask).stepped) all(ask, ".pick input").forEach((box) => (box.tabIndex = box === next ? 0 : -1));
  next.focus();
  return true;
}

function pickHere(ask) {
  if (!document.activeElement.checked) document.activeElement.click();
  advance(ask);
}

function inList(finder, key) {
  if (key === "ArrowDown" || key === "ArrowUp") {
    if (!finder.open) finder.refresh();
    else finder.walk(key === "ArrowDown" ? 1 : -1);
    return true;
  }
  if (/^[1-9]$/.test(key) && takeKeyed(finder, key)) return advance(finder.ask), true;
  if (key !== "Escape") return false;
  finder.input.value = finder.input.dataset.shown;
  finder.close();
  return true;
}

export function clearPick(ask) {
  show(ask, "", "");
  entry(ask)?.focus();
  send(ask);
}

by("keys-open").addEventListener("click", () => by("keys").showModal());
