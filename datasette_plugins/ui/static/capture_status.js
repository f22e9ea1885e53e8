// What the page says of itself: bars above, what is kept, what is missing, and the rail of sections.
import { entry, read } from "./capture_controls.js";
import { line, now, timers } from "./capture_draft.js";
import { by, find, labelOf, listen, page, rowName, say, sheet, state, visible } from "./capture_page.js";

export const wrong = () => [...sheet.querySelectorAll("[data-problem=error]")].filter(visible);
const jumps = { to: (ask) => ask.scrollIntoView() };

// Tells the list of what is missing how to go to a question.
export function jumpBy(jump) {
  jumps.to = jump;
}

listen("down", (isDown) => {
  by("bar-offline").textContent = say("capture.js.offline");
  by("bar-offline").hidden = !isDown;
  by("bar-back").textContent = say("capture.js.back");
  by("bar-back").hidden = isDown;
  if (!isDown) setTimeout(() => (by("bar-back").hidden = true), 4000);
});

listen("conflict", (reply, unsent) => {
  const bar = by("bar-conflict");
  const lost = unsent.filter((change) => change.op === "set").map((change) => {
    const ask = find(change.ref);
    return `${ask ? labelOf(ask).textContent : change.ref}＝${change.value}`;
  });
  const gone = reply.gone === true;
  bar.textContent = say(gone ? "capture.js.gone" : "capture.js.conflict") +
    (lost.length ? say("capture.js.conflict_lost", { what: lost.join("，") }) : "");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = say(gone ? "capture.js.home" : "capture.js.reload");
  button.addEventListener("click", () => {
    state.leaving = true;
    location.assign(gone ? page.dataset.home : location.href);
  });
  bar.append(button);
  bar.hidden = false;
  sheet.inert = true;
  button.focus();
});

listen("locked", () => {
  const bar = by("bar-conflict");
  bar.textContent = say("capture.js.locked");
  bar.hidden = false;
});

export function failed(found) {
  const bar = by("bar-conflict");
  bar.textContent = say("capture.js.failed", { what: found.join("；") });
  bar.hidden = false;
  setTimeout(() => (bar.hidden = !now.refused), 12000);
}

listen("failed", (found) => {
  failed(found);
  now.refused = true;
});

export function showKept() {
  const kept = by("kept");
  if (now.refused) kept.textContent = say("capture.js.unkept");
  else if (line.busy || timers.size) kept.textContent = say("capture.js.keeping");
  else if (now.touched) kept.textContent = say("capture.js.kept", { time: new Date().toTimeString().slice(0, 8) });
  else kept.textContent = say("capture.js.untouched");
}

listen("moved", showKept);

let refreshing = 0;
export function refreshLater() {
  if (!refreshing) refreshing = requestAnimationFrame(() => ((refreshing = 0), showRail(), showWrongs()));
}

export function showRail() {
  for (const part of sheet.querySelectorAll(".part")) {
    const link = page.querySelector(`[data-rail="${part.dataset.part}"]`);
    if (!link) continue;
    const asks = [...part.querySelectorAll(".ask")].filter((ask) => entry(ask) && visible(ask));
    const done = asks.filter((ask) => read(ask) !== "").length;
    link.parentElement.hidden = !visible(part);
    link.querySelector(".rail-count").textContent = asks.length ? `${done}/${asks.length}` : "";
    link.classList.toggle("done", asks.length > 0 && done === asks.length);
    link.classList.toggle("wrong", part.querySelector("[data-problem=error]") !== null);
  }
}

export function showWrongs() {
  const found = wrong();
  const button = by("wrongs");
  button.hidden = !found.length;
  button.textContent = say("capture.js.missing", { count: found.length });
  const summary = by("summary");
  summary.hidden = !state.tried;
  if (!state.tried) return;
  summary.classList.toggle("fine", !found.length);
  by("summary-title").textContent = say(found.length ? "capture.js.problems" : "capture.js.fine", { count: found.length });
  by("summary-list").replaceChildren(...found.map(entryOfList));
}

function entryOfList(ask) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = "#";
  link.textContent = [rowName(ask), labelOf(ask).textContent, ask.querySelector(".ask-problem").textContent].filter(Boolean).join("：");
  link.addEventListener("click", (event) => (event.preventDefault(), jumps.to(ask)));
  item.append(link);
  return item;
}

export function showHere() {
  const links = [...page.querySelectorAll("[data-rail]")];
  if (!links.length) return;
  const parts = links.map((link) => by(`part-${link.dataset.rail}`));
  const focused = parts.findIndex((part) => part.contains(document.activeElement));
  const seen = parts.findLastIndex((part) => visible(part) && part.getBoundingClientRect().top < 160);
  const at = focused >= 0 ? focused : Math.max(0, seen);
  links.forEach((link, index) => link.classList.toggle("here", index === at));
  const rail = links[at].closest(".rail"); // scrolls by itself, never the page
  const item = links[at].parentElement;
  if (item.offsetTop < rail.scrollTop || item.offsetTop + item.offsetHeight > rail.scrollTop + rail.clientHeight)
    rail.scrollTop = item.offsetTop - 40;
  if (rail.scrollWidth > rail.clientWidth) rail.scrollLeft = item.offsetLeft - 40;
}

let scrolling = 0;
addEventListener("scroll", () => {
  if (!scrolling) scrolling = requestAnimationFrame(() => ((scrolling = 0), showHere()));
}, { passive: true });
