// The table: only the rows in sight are drawn, others are fetched as they come; moving about and choosing rows.

import { ask, column, columns, data, element, frame, grid, make, query, shown, tell, word } from "./list_page.js";

const PIECE = 200; // rows the program gives at once
const AHEAD = 20; // rows drawn beyond what is in sight
const WIDTHS = { number: 6, date: 8, village: 8, choice: 8, choices: 12, record: 11, note: 17, text: 9, own: 9, point: 8, shape: 7, media: 9 };

const rows = new Map(); // place -> row
const asked = new Set(); // pieces on their way
export const chosen = new Map(); // row id -> its revision
let total = 0;
let height = 37;
let drawn = { from: -1, until: -1 };
let active = { row: 0, column: 0 };
let anchor = null; // where choosing with Shift began
let round = 0; // answers to what was asked before are thrown away

const head = grid.tHead;
const body = grid.tBodies[0];

export const activeColumn = () => columns()[active.column];
export const activeRow = () => rows.get(active.row);
export const activeCell = () => body.querySelector(`tr[data-at="${active.row}"] td[data-column="${active.column}"]`);

// Begin anew with what the program said.
export function show(found) {
  round += 1;
  rows.clear();
  asked.clear();
  take(found);
  active = { row: Math.min(active.row, Math.max(0, total - 1)), column: Math.min(active.column, columns().length - 1) };
  drawn = { from: -1, until: -1 };
  drawHead();
  draw();
}

function take(found) {
  total = found.total;
  found.rows.forEach((row, at) => rows.set(found.offset + at, row));
  grid.setAttribute("aria-rowcount", total + 1);
  element("total").textContent = word("total", { count: total.toLocaleString() });
  const none = element("none");
  none.hidden = total > 0;
  grid.hidden = total === 0;
  if (!total) {
    const asks = shown.filters.length || shown.text || shown.status;
    none.replaceChildren(asks ? word("none") : word("none_yet"));
    if (asks) none.append(make("button", { type: "button", onclick: () => document.dispatchEvent(new Event("list:clear")) }, word("clear")));
  }
}

// Rows as they stand now, after a change.
export function renew(given) {
  const byId = new Map(given.map((row) => [row.id, row]));
  for (const [at, row] of rows) {
    const now = byId.get(row.id);
    if (now) rows.set(at, { ...now, wrong: row.wrong });
    if (now && chosen.has(row.id)) chosen.set(row.id, now.rev);
  }
  drawn = { from: -1, until: -1 };
  draw();
}

function drawHead() {
  const names = columns();
  const widths = names.map((name) => {
    const about = column(name);
    return Math.min(19, Math.max(WIDTHS[about.kind] ?? 9, about.label.length + 3.2));
  });
  const group = make("colgroup", {}, make("col"), ...names.map(() => make("col")));
  group.firstChild.style.width = "44px";
  [...group.children].slice(1).forEach((col, at) => { col.style.width = `${widths[at]}rem`; });
  grid.querySelector("colgroup")?.remove();
  grid.prepend(group);
  grid.style.width = `calc(44px + ${widths.reduce((sum, each) => sum + each, 0)}rem)`;
  grid.setAttribute("aria-colcount", names.length + 1);
  const filtered = new Set(shown.filters.map((each) => each.split(/!=|>=|<=|=|>|<|~/)[0]));
  head.replaceChildren(make("tr", {}, make("th", { class: "pick", scope: "col" }, make("span", { class: "unseen" }, "✓")), ...names.map((name, at) => {
    const about = column(name);
    const sorted = shown.sort.replace("-", "") === name;
    const marks = `${filtered.has(name) ? "▽" : ""}${sorted ? (shown.sort.startsWith("-") ? "↓" : "↑") : ""}`;
    return make("th", {
      scope: "col", class: at === 0 ? "naming" : "", "aria-sort": sorted ? (shown.sort.startsWith("-") ? "descending" : "ascending") : undefined,
    }, make("button", { type: "button", "data-header": name, title: word("sort_of", { name: about.label }), tabindex: "-1" },
      make("span", { class: "name" }, about.label), make("span", { class: "marks", "aria-hidden": "true" }, marks)));
  })));
}

// Draw the rows in sight, where they are not drawn yet.
export function draw() {
  const first = Math.floor(frame.scrollTop / height);
  const last = Math.min(total, Math.ceil((frame.scrollTop + frame.clientHeight) / height));
  const [from, until] = [Math.max(0, first - AHEAD), Math.min(total, last + AHEAD)];
  for (let piece = Math.floor(from / PIECE); piece * PIECE < until; piece += 1) fetchPiece(piece);
  if (drawn.from >= 0 && first >= drawn.from && last <= drawn.until) return;
  drawn = { from, until };
  const focused = body.contains(document.activeElement);
  const made = [];
  if (from > 0) made.push(filler(from));
  for (let at = from; at < until; at += 1) made.push(rowNode(at));
  if (until < total) made.push(filler(total - until));
  body.replaceChildren(...made);
  height = body.querySelector("tr[data-at]")?.getBoundingClientRect().height || height;
  if (focused) {
    const cell = activeCell();
    if (cell) cell.focus({ preventScroll: true });
    else frame.focus({ preventScroll: true });
  }
}

function filler(count) {
  const cell = make("td", { colspan: columns().length + 1 });
  cell.style.height = `${count * height}px`;
  return make("tr", { class: "filler", "aria-hidden": "true" }, cell);
}

function rowNode(at) {
  const row = rows.get(at);
  const names = columns();
  const picked = row !== undefined && chosen.has(row.id);
  const box = make("input", { type: "checkbox", tabindex: "-1", "aria-label": word("select", { name: row?.cells[0] || at + 1 }), disabled: !row });
  box.checked = picked;
  const cells = names.map((name, place) => {
    const about = column(name);
    const text = row === undefined ? "…" : name === "!wrong" ? row.wrong ?? "" : row.cells[shown.columns.indexOf(name)];
    const classes = [`is-${about.kind}`, place === 0 ? "naming" : "", about.fixed ? "fixed" : "", row ? "" : "wait"];
    return make("td", {
      class: classes.join(" ").trim(), "data-column": place, title: text.length > 8 ? text : undefined,
      tabindex: at === active.row && place === active.column ? "0" : "-1", "aria-readonly": about.fixed ? "true" : undefined,
    }, text);
  });
  return make("tr", { "data-at": at, "aria-rowindex": at + 2, "aria-selected": String(picked) }, make("td", { class: "pick" }, box), ...cells);
}

async function fetchPiece(piece) {
  if (asked.has(piece) || rows.has(piece * PIECE)) return;
  asked.add(piece);
  const mine = round;
  const { status, body: found } = await ask(`rows?${query({ offset: piece * PIECE })}`);
  if (mine !== round) return;
  asked.delete(piece);
  if (status !== 200) {
    tell(word("offline"), { bad: true });
    return;
  }
  take(found);
  drawn = { from: -1, until: -1 };
  draw();
}

// Go to a cell, scrolling only as far as it takes.
export function go(row, place, { focus = true } = {}) {
  const old = activeCell();
  active = { row: Math.max(0, Math.min(row, total - 1)), column: Math.max(0, Math.min(place, columns().length - 1)) };
  const top = active.row * height;
  const room = frame.clientHeight - head.getBoundingClientRect().height;
  if (top < frame.scrollTop) frame.scrollTop = top;
  else if (top + height > frame.scrollTop + room) frame.scrollTop = top + height - room;
  draw();
  if (old) old.tabIndex = -1;
  const cell = activeCell();
  if (!cell) return;
  cell.tabIndex = 0;
  const box = cell.getBoundingClientRect();
  const edge = frame.getBoundingClientRect();
  const left = active.column === 0 ? edge.left : (body.querySelector(".naming")?.getBoundingClientRect().right ?? edge.left);
  if (active.column > 0 && box.left < left) frame.scrollLeft -= left - box.left;
  else if (box.right > edge.right - 16) frame.scrollLeft += box.right - edge.right + 20;
  if (focus) cell.focus({ preventScroll: true });
}

export const move = (down, right) => go(active.row + down, active.column + right);
export const page = () => Math.max(1, Math.floor(frame.clientHeight / height) - 2);
export const ends = { row: () => total - 1, column: () => columns().length - 1 };
export const at = () => active;

// Choosing rows

export function pick(place, on) {
  const row = rows.get(place);
  if (!row) return;
  if (on) chosen.set(row.id, row.rev);
  else chosen.delete(row.id);
  anchor = place;
  marked();
}

export function extend(place) {
  anchor ??= active.row;
  const [from, until] = [Math.min(anchor, place), Math.max(anchor, place)];
  for (let one = from; one <= until; one += 1) {
    const row = rows.get(one);
    if (row) chosen.set(row.id, row.rev);
  }
  marked();
}

export async function pickAll() {
  const { status, body: found } = await ask(`ids?${query()}`);
  if (status !== 200) return tell(word("failed"), { bad: true });
  chosen.clear();
  for (const [id, rev] of Object.entries(found.rows)) chosen.set(id, rev);
  if (found.more) tell(word("too_many", { count: chosen.size }));
  marked();
}

export function unpick() {
  chosen.clear();
  anchor = null;
  marked();
}

function marked() {
  for (const node of body.querySelectorAll("tr[data-at]")) {
    const row = rows.get(Number(node.dataset.at));
    const on = row !== undefined && chosen.has(row.id);
    node.setAttribute("aria-selected", String(on));
    node.querySelector("input").checked = on;
  }
  document.dispatchEvent(new Event("list:chosen"));
}

export function flash() {
  const cell = activeCell();
  cell?.classList.add("saved-now");
  setTimeout(() => cell?.classList.remove("saved-now"), 1200);
}

frame.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
addEventListener("resize", draw);
show(data);
