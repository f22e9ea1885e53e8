// The form page: what happens in its sheet goes to the module whose job it is.
import { all, toggleRank, typed } from "./capture_controls.js";
import { commit, send, textChanged } from "./capture_draft.js";
import { clearPick } from "./capture_keys.js";
import { finderOf } from "./capture_lists.js";
import { advance, enterBlock, notListed } from "./capture_moves.js";
import { askOf, isText, listen, page, sheet } from "./capture_page.js";
import "./capture_patch.js";
import { add, remove } from "./capture_rows.js";
import "./capture_saving.js";
import { showHere, showKept, showRail, showWrongs } from "./capture_status.js";

let pointed = null; // the choice that a pointer was last pressed on
const isFinder = (node) => node.matches("[role=combobox]");

sheet.addEventListener("submit", (event) => event.preventDefault());

sheet.addEventListener("input", (event) => {
  const ask = askOf(event.target);
  if (!ask || event.isComposing) return;
  if (event.target.matches(".sift")) return sift(ask, event.target);
  if (isFinder(event.target)) return finderOf(event.target).typing();
  if (event.target.matches(".slider")) typed(ask).value = event.target.value;
  else if (event.target.matches(".native")) return pickedDate(ask, event.target);
  else if (!isText(event.target)) return;
  textChanged(ask);
});

sheet.addEventListener("compositionend", (event) => {
  const ask = askOf(event.target);
  if (!ask) return;
  if (isFinder(event.target)) finderOf(event.target).typing();
  else textChanged(ask);
});

sheet.addEventListener("change", (event) => {
  const ask = askOf(event.target);
  if (!ask || !event.target.matches("input[type=radio], input[type=checkbox], .slider")) return;
  const clear = ask.querySelector(".unpick");
  if (clear) clear.hidden = false;
  send(ask);
  if (ask.dataset.quick && pointed && ask.contains(pointed)) advance(ask);
});

listen("pointed", (ask) => ask.dataset.quick && advance(ask));

// A choice made by pointing at it goes on by itself, where the form's author wanted that (appearance `quick`).
sheet.addEventListener("pointerdown", (event) => (pointed = event.target.closest(".pick")));
sheet.addEventListener("keydown", () => (pointed = null));

sheet.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  if (!target) return;
  const ask = askOf(target);
  if (target.matches(".add")) add(target);
  else if (target.matches(".remove")) remove(target.dataset.remove);
  else if (target.matches(".unpick")) clearPick(ask);
  else if (target.matches(".rank")) toggleRank(ask, target), send(ask);
  else if (target.matches(".calendar")) openCalendar(ask);
});

sheet.addEventListener("focusin", showHere);

sheet.addEventListener("focusout", async (event) => {
  const ask = askOf(event.target);
  if (!ask) return;
  if (isFinder(event.target)) await leaveFinder(ask, event.target);
  commit(ask);
});

async function leaveFinder(ask, input) {
  const finder = finderOf(input);
  if (input.value.trim() === input.dataset.shown) return finder.close();
  const found = await finder.resolve();
  finder.close();
  if (found !== "taken" && document.activeElement !== input) notListed(ask);
}

function pickedDate(ask, native) {
  if (!native.value) return;
  typed(ask).value = native.value;
  typed(ask).focus();
  send(ask);
}

function openCalendar(ask) {
  const native = ask.querySelector(".native");
  native.value = /^\d{4}-\d\d-\d\d$/.test(typed(ask).value) ? typed(ask).value : "";
  native.showPicker?.();
}

function sift(ask, input) {
  const text = input.value.trim().toLowerCase();
  for (const pick of all(ask, ".pick")) pick.hidden = text !== "" && !pick.textContent.toLowerCase().includes(text);
}

showRail();
showWrongs();
showKept();
enterBlock(sheet);
showHere();
page.dataset.ready = "1";
