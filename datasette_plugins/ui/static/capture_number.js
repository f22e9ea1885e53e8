// Ctrl+G asks for the number of a question, as the paper form prints it, and goes there: in the row at hand, if the
// question stands in rows; to the next one on the page, if it is not asked of this household.
import { onKey } from "./capture_keys.js";
import { entry } from "./capture_controls.js";
import { enter } from "./capture_moves.js";
import { by, sheet, visible } from "./capture_page.js";

const dialog = by("jump");
const input = by("jump-number");
let from = null;

onKey((event) => {
  if (!event.ctrlKey || event.altKey || event.key.toLowerCase() !== "g") return false;
  from = document.activeElement;
  input.value = "";
  dialog.showModal();
  return true;
});

dialog.addEventListener("close", () => {
  const number = Number.parseInt(input.value.normalize("NFKC"), 10);
  const found = dialog.returnValue === "go" && number > 0 ? target(number) : null;
  if (found) enter(found);
  else from?.focus();
});

function target(number) {
  const asked = [...sheet.querySelectorAll("[data-number]")].filter((ask) => visible(ask) && entry(ask));
  const least = Math.min(...asked.map((ask) => Number(ask.dataset.number)).filter((each) => each >= number));
  const same = asked.filter((ask) => Number(ask.dataset.number) === least);
  const row = from?.closest?.(".row, tr");
  return same.find((ask) => row?.contains(ask)) ?? same[0] ?? null;
}
