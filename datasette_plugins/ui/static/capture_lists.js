// Questions answered from a list that is found by typing.
import { of } from "./capture_controls.js";
import { line, problems, send, showProblem } from "./capture_draft.js";
import { Finder } from "./capture_finder.js";
import { askOf, page, sheet, tell, words } from "./capture_page.js";

const PATIENT = 500; // ms that looking waits for what is being kept
const finders = new WeakMap();

export function finderOf(input) {
  if (!finders.has(input))
    finders.set(input, new Finder(input, {
      words,
      chosen: (ask) => (problems.delete(ask.dataset.ref), showProblem(ask), send(ask)),
      look: async (ref, text) => {
        await line.settled(PATIENT);
        const query = new URLSearchParams({ ...line.key, ref, q: text });
        const response = await fetch(`${page.dataset.options}?${query}`);
        return response.ok ? response.json() : null;
      },
    }));
  return finders.get(input);
}

of({ dataset: { kind: "search" } }).settle = (ask) => finderOf(ask.querySelector("input[role=combobox]")).resolve();

// The choice by its number, where the list shows numbers and nothing has been typed.
export function takeKeyed(finder, key) {
  const keyed = finder.open && finder.list.classList.contains("keyed") && finder.query === "";
  const item = keyed ? finder.options[key - 1] : null;
  if (item) finder.take(item);
  return Boolean(item);
}

sheet.addEventListener("mousedown", (event) => {
  const item = event.target.closest("li[role=option]");
  if (!item) return;
  event.preventDefault();
  finderOf(item.closest(".finder").querySelector("input")).take(item);
  tell("pointed", askOf(item));
});

sheet.addEventListener("focusin", (event) => {
  if (!askOf(event.target) || !event.target.matches("[role=combobox]")) return;
  finderOf(event.target).refresh();
  event.target.select();
});
