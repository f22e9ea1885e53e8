// A ledger as a list: starts the page; keys and buttons go to the module whose job it is.

import { columnsDialog, manyDialog, viewsDialog } from "./list_dialogs.js";
import { edit, undo } from "./list_edit.js";
import { chips, dialog as filterDialog, header, isVillage } from "./list_filter.js";
import { activeRow, at, chosen, ends, extend, go, move, page, pick, pickAll, show, unpick } from "./list_grid.js";
import { ask, data, element, frame, grid, make, query, shown, tell, word } from "./list_page.js";

const text = element("text");
const village = element("village");
const status = element("status");
let turn = 0;

async function again() {
  const mine = ++turn;
  settle();
  const { status: got, body } = await ask(`rows?${query({ offset: 0 })}`);
  if (mine !== turn) return;
  if (got !== 200) return tell(word("offline"), { bad: true });
  frame.scrollTop = 0;
  show(body);
  if (body.problems?.length) tell(body.problems.join(" "), { bad: true });
  if (shown.status === "errors") check();
}

// The bars say what is shown; so does the address, so that reloading changes nothing.
function settle() {
  chips();
  const plain = query({}, { withColumns: false });
  history.replaceState(null, "", plain ? `${data.path}?${plain}` : data.path);
  for (const [id, file] of [["excel", "export.xlsx"], ["csv", "export.csv"], ["paper", "print.pdf"]]) {
    element(id).href = `${data.path}/-/${file}?${query()}`;
  }
  village.value = shown.filters.find(isVillage)?.split("=")[1] ?? "";
  status.value = shown.status;
  if (document.activeElement !== text) text.value = shown.text;
}

// Errors are looked for in the background; what is found so far is shown as it comes.
async function check() {
  const { status: got, body } = await ask("check");
  if (got !== 200 || shown.status !== "errors") return;
  if (body.running) {
    element("total").textContent = word("checking", { done: body.done, total: body.total });
    setTimeout(check, 700);
    checking = true;
  } else if (checking) {
    checking = false;
    again();
  }
}
let checking = shown.status === "errors";

function choosing() {
  const place = element("chosen");
  place.hidden = !chosen.size;
  place.replaceChildren(word("selected", { count: chosen.size }),
    make("button", { type: "button", onclick: manyDialog }, word("change_all")), make("button", { type: "button", onclick: unpick }, word("unselect")));
}

function open() {
  const row = activeRow();
  if (row) location.assign(`${data.path}/-/open/${encodeURIComponent(row.id)}`);
}

const KEYS = {
  ArrowDown: () => move(1, 0), ArrowUp: () => move(-1, 0), ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1),
  Home: () => go(at().row, 0), End: () => go(at().row, ends.column()), PageDown: () => move(page(), 0), PageUp: () => move(-page(), 0),
  Enter: edit, F2: edit, " ": () => pick(at().row, !chosen.has(activeRow()?.id)), Escape: unpick, e: manyDialog, E: manyDialog, o: open, O: open,
};
const WITH_CONTROL = {
  Home: () => go(0, 0), End: () => go(ends.row(), ends.column()), a: pickAll, z: undo,
  ArrowDown: () => go(ends.row(), at().column), ArrowUp: () => go(0, at().column),
};

frame.addEventListener("keydown", (event) => {
  if (event.isComposing || event.target.closest("button, dialog")) return;
  if (event.altKey && event.key === "ArrowDown") {
    const button = grid.tHead.querySelectorAll("button")[at().column];
    event.preventDefault();
    return header(button);
  }
  if (event.altKey) return;
  const command = event.ctrlKey || event.metaKey;
  const key = command ? event.key.length === 1 ? event.key.toLowerCase() : event.key : event.key;
  const act = command ? WITH_CONTROL[key] : KEYS[key];
  if (!act) return;
  event.preventDefault();
  const before = at().row;
  act();
  if (event.shiftKey && ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "End", "Home"].includes(key)) {
    if (!chosen.size) pick(before, true);
    extend(at().row);
  } else if (event.shiftKey && key === " ") extend(at().row);
});

grid.addEventListener("click", (event) => {
  const button = event.target.closest("[data-header]");
  if (button) return header(button);
  const node = event.target.closest("tr[data-at]");
  if (!node) return;
  const row = Number(node.dataset.at);
  if (event.target.closest(".pick")) {
    const box = node.querySelector("input");
    if (event.shiftKey) return extend(row);
    return pick(row, event.target === box ? box.checked : !box.checked);
  }
  const cell = event.target.closest("td[data-column]");
  if (cell) go(row, Number(cell.dataset.column));
});
grid.addEventListener("dblclick", (event) => {
  if (event.target.closest("td[data-column]")) edit();
});

let timer = 0;
text.addEventListener("input", (event) => {
  if (event.isComposing) return;
  clearTimeout(timer);
  timer = setTimeout(() => { shown.text = text.value.trim(); again(); }, 180);
});
text.addEventListener("compositionend", () => { shown.text = text.value.trim(); again(); });
text.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); go(0, 0); }
});
village.append(...Object.entries(data.villages).map(([code, name]) => make("option", { value: code }, name)));
village.addEventListener("change", () => {
  shown.filters = shown.filters.filter((each) => !isVillage(each));
  if (village.value) shown.filters = [...shown.filters, `${data.village}=${village.value}`];
  again();
});
status.addEventListener("change", () => { shown.status = status.value; again(); });
element("open-filter").addEventListener("click", filterDialog);
element("open-columns").addEventListener("click", columnsDialog);
element("open-views").addEventListener("click", viewsDialog);
document.addEventListener("list:again", again);
document.addEventListener("list:chosen", choosing);
document.addEventListener("list:clear", () => { Object.assign(shown, { filters: [], text: "", status: "" }); text.value = ""; again(); });
document.addEventListener("list:columns", async () => {
  await ask("remember", { columns: shown.columns });
  again();
});

settle();
if (shown.status === "errors") check();
go(0, 0, { focus: !shown.text });
document.body.dataset.ready = "";
