// One cell answered in place: how is asked of the form, what it says stands beside the answer.

import { activeCell, activeColumn, activeRow, at, flash, go, move, renew } from "./list_grid.js";
import { ask, close, make, open, problemsOf, query, tell, word } from "./list_page.js";

// The control for an answer: `{ node, read, focus, keys }`; `commit` saves. Also used for many at once.
export function controlOf(about, row, name, commit) {
  if (about.way === "many") return checks(about);
  if (about.way === "one" || about.way === "find") return finder(about, row, name, commit);
  const area = about.way === "area";
  const node = make(area ? "textarea" : "input", {
    ...(area ? { rows: 4 } : { type: "text" }), "aria-label": about.label, autocomplete: "off",
    placeholder: about.kind === "date" ? word("date_hint") : undefined,
  });
  node.value = about.value;
  return { node, read: () => node.value, focus: () => { node.focus(); node.select(); } };
}

function checks(about) {
  const had = new Set(about.value.split(" "));
  const node = make("ul", { class: "options", role: "group", "aria-label": about.label }, ...about.options.map((option) => {
    const box = make("input", { type: "checkbox", value: option.name });
    box.checked = had.has(option.name);
    return make("li", {}, make("label", { class: "choice" }, box, option.label));
  }));
  node.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const boxes = [...node.querySelectorAll("input")];
    boxes[boxes.indexOf(document.activeElement) + step]?.focus();
    event.preventDefault();
  });
  return {
    node, read: () => [...node.querySelectorAll("input:checked")].map((box) => box.value).join(" "),
    focus: () => node.querySelector("input")?.focus(),
  };
}

function finder(about, row, name, commit) {
  const list = make("ul", { class: "options", role: "listbox", id: "edit-options", "aria-label": about.label });
  const input = make("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "edit-options", "aria-label": about.label,
    autocomplete: "off", placeholder: about.shown || undefined,
  });
  let value = about.value;
  let turn = 0;
  const few = about.options.length > 0 && about.options.length <= 9;

  function fill(options, more) {
    const all = about.required || input.value ? options : [...options, { name: "", label: word("empty_choice") }];
    list.replaceChildren(...all.map((option, place) => make("li", {
      role: "option", id: `edit-option-${place}`, "data-name": option.name, "aria-selected": "false",
      onclick: () => { mark(place); commit(); },
    }, few && !input.value && option.name ? `${place + 1} · ${option.label}` : option.label)));
    if (more) list.append(make("li", { class: "hint", "aria-hidden": "true" }, word("more", { count: more })));
    if (!all.length) list.append(make("li", { class: "hint" }, word("nothing_found")));
    const now = all.findIndex((option) => option.name === value);
    mark(input.value ? 0 : Math.max(0, now));
  }
  function mark(place) {
    const options = [...list.querySelectorAll("[role=option]")];
    options.forEach((option, one) => option.setAttribute("aria-selected", String(one === place)));
    const chosen = options[place];
    if (!chosen) return;
    value = chosen.dataset.name;
    input.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }
  async function look() {
    const mine = ++turn;
    if (!input.value && about.options.length) return fill(about.options, 0);
    const { status, body } = await ask(`options?${new URLSearchParams({ row, column: name, q: input.value })}`);
    if (mine === turn && status === 200) fill(body.options, body.more);
  }
  input.addEventListener("input", (event) => { if (!event.isComposing) look(); });
  input.addEventListener("compositionend", look);
  input.addEventListener("keydown", (event) => {
    const options = [...list.querySelectorAll("[role=option]")];
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      mark(Math.max(0, Math.min(options.length - 1, now + step)));
      event.preventDefault();
    } else if (few && !input.value && /^[1-9]$/.test(event.key) && about.options[event.key - 1]) {
      mark(event.key - 1);
      event.preventDefault();
      commit();
    }
  });
  look();
  return { node: make("div", {}, input, list), read: () => value, focus: () => input.focus() };
}

export async function edit() {
  const row = activeRow();
  const name = activeColumn();
  const cell = activeCell();
  if (!row || !cell) return;
  const asked = await ask(`cell?${new URLSearchParams({ row: row.id, column: name })}`);
  if (asked.status !== 200) return tell(problemsOf(asked), { bad: true });
  const about = asked.body;
  if (about.rev !== row.rev) return moved(row.id);
  if (about.why) return tell(about.why, { bad: true });
  const problem = make("p", { class: "problem", role: "alert", id: "edit-problem" });
  const hint = [about.hint, word("edit_hint")].filter(Boolean).join(" · ");
  let way = "Enter";
  let busy = false;
  const control = controlOf(about, row.id, name, () => save(way));
  problem.textContent = about.problem || "";
  const node = open(cell, [control.node, problem, make("p", { class: "hint" }, hint)], {
    name: "editor", label: about.label, closed: () => activeCell()?.focus({ preventScroll: true }),
  });
  control.focus();

  node.addEventListener("keydown", (event) => {
    if (event.isComposing || event.key === "Process") return;
    if (event.key === "Tab") way = event.shiftKey ? "Back" : "Tab";
    else if (event.key === "Enter" && !(event.shiftKey && about.way === "area")) way = "Enter";
    else return;
    event.preventDefault();
    event.stopPropagation();
    save(way);
  });

  async function save(how) {
    if (busy) return;
    const value = control.read();
    if (value === about.value) return done(how);
    busy = true;
    const { status, body } = await ask(`change?${query()}`, {
      column: name, kind: about.kind, value, rows: { [row.id]: about.rev },
    });
    busy = false;
    if (body.rows) renew(body.rows);
    if (status === 200) {
      done(how, body.save);
    } else if (status === 409) {
      close();
      tell(word("moved"), { bad: true });
      flash();
    } else {
      problem.textContent = body.refused ? body.refused.map((each) => each.words).join("；") : problemsOf({ status, body });
      node.querySelector("input, textarea")?.setAttribute("aria-invalid", "true");
      node.querySelector("input, textarea")?.setAttribute("aria-describedby", "edit-problem");
      control.focus();
    }
  }

  function done(how, saved) {
    close();
    if (saved) {
      last = saved;
      flash();
      tell(word("saved"), { undo });
    }
    if (how === "Tab") move(0, 1);
    else if (how === "Back") move(0, -1);
    else move(1, 0);
  }
}

// The row as it stands now, where somebody else changed it.
async function moved(id) {
  const place = at();
  const { status, body } = await ask(`rows?${query({ row: id })}`);
  if (status === 200) renew(body.rows);
  tell(status === 200 ? word("moved") : word("offline"), { bad: true });
  go(place.row, place.column);
  flash();
}

let last = "";
export const remember = (saved) => { last = saved; };

export async function undo() {
  if (!last) return document.dispatchEvent(new Event("cunce:undo")); // nothing from this page: the last save
  const { status, body } = await ask("undo", { save: last });
  if (status !== 200) return tell(problemsOf({ status, body }), { bad: true });
  last = "";
  tell(body.words);
  document.dispatchEvent(new Event("list:again"));
}
