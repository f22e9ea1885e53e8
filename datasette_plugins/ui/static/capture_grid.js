// Rows as the lines of a table: cards and table in turn, up and down by arrow keys, rows pasted from a spreadsheet.
import { entry } from "./capture_controls.js";
import { structural } from "./capture_draft.js";
import { onKey } from "./capture_keys.js";
import { finderOf } from "./capture_lists.js";
import { enter } from "./capture_moves.js";
import { askOf, isText, sheet, visible } from "./capture_page.js";

function toggle(button) {
  const focus = askOf(document.activeElement)?.dataset.ref ?? "";
  const inside = focus.startsWith(`${button.dataset.table}[`);
  structural({ op: "table", ref: button.dataset.table, on: button.dataset.on === "1", focus: inside ? focus : "" });
}

function toggleNearest() {
  const own = document.activeElement?.closest?.(".repeat")?.querySelector(":scope > .as-table");
  const button = own ?? [...sheet.querySelectorAll(".as-table")].find(visible);
  if (button) toggle(button);
}

// The same question in the row above or below.
function walk(ask, by) {
  const row = ask.closest(".row");
  const rows = [...row.parentElement.children].filter((node) => node.matches(".row"));
  const target = rows[rows.indexOf(row) + by];
  const at = [...row.querySelectorAll(".ask")].indexOf(ask);
  const there = target?.querySelectorAll(".ask")[at];
  if (there && entry(there)) enter(there);
}

onKey((event, ask) => {
  if (event.altKey && !event.ctrlKey && event.code === "KeyT") return toggleNearest(), true;
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!by || event.altKey || event.shiftKey || !ask?.closest(".lines, .repeat-table")) return false;
  const finder = event.target.matches("[role=combobox]") ? finderOf(event.target) : null;
  if (!event.ctrlKey && (finder || !isText(event.target))) return false;
  finder?.close();
  return walk(ask, by), true;
});

sheet.addEventListener("click", (event) => {
  const button = event.target.closest(".as-table");
  if (button) toggle(button);
});

// Several cells that were copied in a spreadsheet; a single one is pasted as any text.
sheet.addEventListener("paste", (event) => {
  const ask = askOf(event.target);
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const rows = /\r?\n(?=.)/s.test(text) && ask?.closest(".lines, .repeat-table");
  if (!ask?.closest(".row") || !(text.includes("\t") || rows)) return;
  event.preventDefault();
  structural({ op: "paste", ref: ask.dataset.ref, repeat: ask.closest(".repeat").dataset.ref, text });
});

addEventListener("scroll", (event) => {
  if (!(event.target instanceof Element) || !event.target.matches(".lines-wrapper")) return;
  const input = document.activeElement;
  if (input?.matches("[role=combobox]") && event.target.contains(input)) finderOf(input).place();
}, { capture: true, passive: true });
