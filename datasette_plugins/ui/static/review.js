// Decisions by keys: a digit presses the button of that number on the card in focus, n or j goes to the next card,
// p or k to the one before, u takes the last decision back. What was passed over stays passed over after a decision.
const cards = [...document.querySelectorAll("[data-decide]")];
const place = `review:${location.pathname}`;

function at() {
  return Math.max(cards.findIndex((card) => card.contains(document.activeElement)), 0);
}

function go(to, scroll = true) {
  const card = cards[Math.min(Math.max(to, 0), cards.length - 1)];
  card?.focus({ preventScroll: true });
  if (scroll) card?.scrollIntoView({ block: "nearest" });
}

function press(button) {
  if (!button) return false;
  button.click();
  return true;
}

function handled({ key }) {
  const lower = key.toLowerCase();
  if (lower === "u") return press(document.querySelector("[data-undo]"));
  if (/^[1-9]$/.test(key)) return press(cards[at()]?.querySelector(`[data-key="${key}"]`));
  if (lower === "n" || lower === "j") return go(at() + 1), true;
  if (lower === "p" || lower === "k") return go(at() - 1), true;
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  if (handled(event)) event.preventDefault();
});

for (const card of cards) {
  card.addEventListener("submit", () => sessionStorage.setItem(place, String(cards.indexOf(card))));
}
const passed = Number(sessionStorage.getItem(place)) || 0;
sessionStorage.removeItem(place);
go(passed, passed > 0);
