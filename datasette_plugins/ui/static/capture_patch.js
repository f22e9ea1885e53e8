// What the program answers: questions that come and go, values, problems, rows.
import { entry } from "./capture_controls.js";
import { now, problems, showProblem, showValue, timers } from "./capture_draft.js";
import { enter, enterBlock } from "./capture_moves.js";
import { askOf, by, find, labelOf, listen, sheet, tell } from "./capture_page.js";
import { refreshLater } from "./capture_status.js";

export function answer(reply) {
  for (const whole of reply.blocks ?? []) replaceBlock(whole);
  for (const view of reply.views ?? []) patch(view);
  sheet.querySelectorAll("[inert]").forEach((node) => (node.inert = false));
  if (reply.undo || reply.notice) showToast(reply.undo || reply.notice, Boolean(reply.undo));
  if (reply.focus) goTo(find(reply.focus));
  refreshLater();
}

function goTo(node) {
  if (node?.classList.contains("ask")) enter(node);
  else enterBlock(node);
}

function replaceBlock({ ref, html }) {
  const old = find(ref);
  if (!old) return;
  const active = document.activeElement;
  const focused = old.contains(active) ? askOf(active)?.dataset.ref : null;
  const text = focused && timers.has(focused) ? active.value : null;
  const holder = document.createElement("template");
  holder.innerHTML = html;
  old.replaceWith(holder.content);
  tell("drawn", find(ref));
  if (!focused) return;
  const ask = find(focused);
  const target = ask && entry(ask);
  if (text !== null && target) target.value = text;
  target?.focus();
}

function patch(view) {
  const node = find(view.ref);
  if (!node) return;
  if ("on" in view) node.hidden = !view.on;
  if ("label" in view) labelOf(node).innerHTML = view.label;
  if (!node.classList.contains("ask")) return;
  const hint = node.querySelector(".ask-hint");
  if ("hint" in view && hint) hint.innerHTML = view.hint;
  const aside = node.querySelector(".ask-aside");
  if ("aside" in view && aside) aside.innerHTML = view.aside;
  if ("required" in view) node.querySelector(".must").hidden = !view.required;
  if ("control" in view) redraw(node, view);
  else if ("value" in view) showValue(node, view);
  if ("problem" in view) {
    if (view.problem) problems.set(view.ref, { words: view.problem, grave: view.grave !== false });
    else problems.delete(view.ref);
    showProblem(node);
  }
}

function redraw(ask, view) {
  const had = ask.contains(document.activeElement);
  const kind = view.kind ?? ask.dataset.kind;
  ask.classList.replace(`ask-${ask.dataset.kind}`, `ask-${kind}`);
  ask.dataset.kind = kind;
  ask.querySelector(".ask-control").innerHTML = view.control;
  tell("drawn", ask);
  if (had) entry(ask)?.focus();
}

let fading = 0;

// What a step has done, and the way back where there is one. It goes by itself; Alt+Z is the way back after that too.
function showToast(words, undoable) {
  clearTimeout(fading);
  by("toast-text").textContent = words;
  by("toast-undo").hidden = !undoable;
  by("toast").hidden = false;
  fading = setTimeout(() => (by("toast").hidden = true), undoable ? 20000 : 6000);
}

listen("answered", (reply) => {
  if (now.refused) by("bar-conflict").hidden = true; // a step that is kept keeps the whole draft
  now.refused = false;
  answer(reply);
});
