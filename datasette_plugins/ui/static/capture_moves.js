// Moving about: from question to question, and keys that were pressed before the next question is known.
import { entry, of, pick } from "./capture_controls.js";
import { commit, line, setProblem } from "./capture_draft.js";
import { finderOf, takeKeyed } from "./capture_lists.js";
import { askOf, by, find, isText, page, say, sheet, visible } from "./capture_page.js";
import { jumpBy, refreshLater, showHere, wrong } from "./capture_status.js";

const PATIENT = 500; // ms that moving on waits for the program's answer

let moving = false; // on the way to the next question
const pressed = []; // keys pressed meanwhile

function stops() {
  return [...sheet.querySelectorAll(".ask, .add")].filter(
    (node) => visible(node) && (node.classList.contains("add") || entry(node)),
  );
}

export function enter(stop) {
  const target = stop.classList.contains("ask") ? entry(stop) : stop;
  if (!target) return;
  target.focus({ preventScroll: true });
  if (isText(target)) target.select();
  stop.scrollIntoView({ block: "nearest" });
}

export function enterBlock(block) {
  const first = block && [...block.querySelectorAll(".ask")].find((ask) => visible(ask) && entry(ask));
  const target = first ?? block?.querySelector(":scope > .add");
  if (target) enter(target);
}

function go(ref, from, by_) {
  const found = stops();
  const here = ref ? find(ref) : from;
  const at = found.indexOf(here?.isConnected ? here : from);
  const next = found[at + by_];
  if (next) enter(next);
  else if (by_ > 0) by("save").focus();
  else enter(found[0]);
}

// Goes on from a question; keys pressed before the next one is known are played there, in their order.
export async function advance(stop, by_ = 1) {
  moving = true;
  try {
    await move(stop, by_);
    while (pressed.length) await play(pressed.shift());
  } finally {
    moving = false;
  }
}

async function move(stop, by_) {
  const ask = askOf(stop);
  const ref = ask?.dataset.ref ?? "";
  const settle = ask && of(ask).settle;
  if (settle) {
    const found = await settle(ask);
    if (found === "open") return;
    if (found === "unknown") return notListed(ask);
  }
  commit(ask);
  if (line.busy && !line.down) {
    // What was just answered may bring a new question right here: the next one is known when the program has answered.
    await line.settled(PATIENT);
    await new Promise(requestAnimationFrame);
  }
  const here = document.activeElement;
  // Somebody who has clicked elsewhere meanwhile stays there.
  if (here === document.body || (ref && askOf(here) === find(ref)) || here === stop) go(ref, stop, by_);
}

export function notListed(ask) {
  setProblem(ask, say("capture.js.not_listed", { typed: entry(ask).value }));
  refreshLater();
}

async function play(key) {
  const target = document.activeElement;
  const ask = askOf(target);
  if (key === "Enter" || key === "Tab") return ask ? move(ask, 1) : target.click();
  if (key === "Shift+Tab") return ask && move(ask, -1);
  const finder = target.matches("[role=combobox]") ? finderOf(target) : null;
  if (finder && /^[1-9]$/.test(key)) {
    if (!finder.open) await finder.refresh();
    if (takeKeyed(finder, key)) return move(ask, 1);
  }
  if (isText(target)) return type(target, key);
  if (key === " ") return target.click();
  if (ask && /^[1-9]$/.test(key) && pick(ask, Number(key)) && of(ask).single) return move(ask, 1);
}

function type(target, key) {
  const { selectionStart: from, selectionEnd: to } = target;
  if (key === "Backspace") target.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
  else target.setRangeText(key, from, to, "end");
  target.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

document.addEventListener("keydown", (event) => {
  if (!moving || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key.length !== 1 && !["Enter", "Tab", "Backspace"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  pressed.push(event.key === "Tab" && event.shiftKey ? "Shift+Tab" : event.key);
}, true);

export async function pickByKey(ask, number) {
  if (pick(ask, number) && of(ask).single) await advance(ask);
}

export function toPart(by_) {
  const links = [...page.querySelectorAll("[data-rail]")].filter((link) => !link.parentElement.hidden);
  const at = links.findIndex((link) => link.classList.contains("here"));
  const next = links[at + by_];
  if (next) openPart(next.dataset.rail);
}

function openPart(number) {
  const part = by(`part-${number}`);
  enterBlock(part);
  part.scrollIntoView({ block: "start" });
  showHere();
}

export function toProblem() {
  const found = wrong();
  const here = document.activeElement;
  const next = found.find((ask) => !ask.contains(here) && here.compareDocumentPosition(ask) & Node.DOCUMENT_POSITION_FOLLOWING);
  if (found.length) enter(next ?? found[0]);
}

jumpBy(enter);
by("wrongs").addEventListener("click", toProblem);
page.querySelectorAll("[data-rail]").forEach((link) =>
  link.addEventListener("click", (event) => (event.preventDefault(), openPart(link.dataset.rail))),
);
