// Answers of a fixed length (an ID number, a mobile's) go on by themselves with their last character. Who presses Enter
// all the same, out of habit, stays where that led.
import { advance } from "./capture_moves.js";
import { askOf, sheet } from "./capture_page.js";

const HABIT = 700; // ms within which an Enter still belongs to the answer before
let went = -Infinity;

sheet.addEventListener("input", (event) => {
  const ask = askOf(event.target);
  const full = Number(ask?.dataset.full);
  if (!full || event.isComposing || event.inputType !== "insertText") return;
  const { value, selectionStart } = event.target;
  if (value.length !== full || selectionStart !== full) return;
  went = performance.now();
  advance(ask);
});

// On the window, so that it comes before those who keep the keys pressed while the page moves on.
window.addEventListener("keydown", (event) => {
  const habit = event.key === "Enter" && !event.shiftKey && performance.now() - went < HABIT;
  went = -Infinity;
  if (!habit) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
