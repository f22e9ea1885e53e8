// The draft: what is typed goes to the program on this machine, question by question, and is kept there.
import { entry, read, show } from "./capture_controls.js";
import { Line } from "./capture_line.js";
import { askOf, by, find, listen, page, sheet, tell } from "./capture_page.js";

const PAUSE = 300; // ms without typing before a text is sent
const LONGEST = 600; // ms that a text is being typed before it is sent all the same: a power cut waits for no pause

export const timers = new Map(); // ref -> timer of a text being typed
const since = new Map(); // ref -> when the first letter was typed that is not sent yet, ms
export const problems = new Map(); // ref -> {words, grave}
const late = new Map(); // ref -> canonical value, shown when the question is left
export const now = {
  typing: "", // the question whose text is being typed: its problem waits until it is left
  touched: false,
  refused: false, // the last step was not kept, for a reason the page shows
};

export const line = new Line(page.dataset.send, JSON.parse(by("capture-key").textContent), Number(page.dataset.counter), {
  answer: (reply) => tell("answered", reply),
  down: (isDown) => tell("down", isDown),
  conflict: (reply, unsent) => tell("conflict", reply, unsent),
  locked: () => tell("locked"),
  failed: (found) => tell("failed", found),
  moved: () => tell("moved"),
});

// Sends a question's answer as it stands.
export function send(ask) {
  const ref = ask.dataset.ref;
  clearTimeout(timers.get(ref));
  timers.delete(ref);
  since.delete(ref);
  now.touched = true;
  line.push({ op: "set", ref, value: read(ask) });
}

// A text was typed: it is sent when the typing pauses, has gone on for long, or the question is left.
export function textChanged(ask) {
  const ref = ask.dataset.ref;
  now.typing = ref;
  late.delete(ref);
  clearTimeout(timers.get(ref));
  if (!since.has(ref)) since.set(ref, performance.now());
  const left = since.get(ref) + LONGEST - performance.now();
  timers.set(ref, setTimeout(() => send(ask), Math.max(0, Math.min(PAUSE, left))));
  showProblem(ask);
  tell("moved");
}

// A question is left: what was typed is sent, and what the program made of it is shown.
export function commit(ask) {
  if (!ask) return;
  const ref = ask.dataset.ref;
  if (timers.has(ref)) send(ask);
  if (now.typing === ref) now.typing = "";
  if (late.has(ref) && !line.holds(ref)) {
    show(ask, late.get(ref), late.get(ref));
    late.delete(ref);
  }
  showProblem(ask);
  tell("left", ask);
}

export function commitAll() {
  [...timers.keys()].forEach((ref) => commit(find(ref)));
  commit(askOf(document.activeElement));
}

// Rows that come and go: {op: add, remove or undo, ...}.
export function structural(change) {
  commitAll();
  const repeat = change.op === "copy" ? null : find(change.op === "add" ? change.ref : change.repeat || change.ref);
  const outer = repeat?.closest(".part")?.querySelector(".repeat");
  // Rows are named by their position: nothing in them may change until the answer has put them in their new places.
  if (outer && change.op !== "add") outer.inert = true;
  by("toast").hidden = true;
  now.touched = true;
  line.push(change);
}

export function showValue(ask, view) {
  if (line.holds(view.ref) || timers.has(view.ref)) return;
  if (now.typing === view.ref) late.set(view.ref, view.value);
  else show(ask, view.value, view.shown || view.value);
}

export function showProblem(ask) {
  const ref = ask.dataset.ref;
  const found = problems.get(ref);
  const quiet = now.typing === ref;
  const box = ask.querySelector(".ask-problem");
  if (!box) return;
  box.textContent = found && !quiet ? found.words : "";
  if (found && !quiet) ask.dataset.problem = found.grave ? "error" : "warning";
  else delete ask.dataset.problem;
  entry(ask)?.setAttribute("aria-invalid", ask.dataset.problem === "error" ? "true" : "false");
}

export function setProblem(ask, words, grave = true) {
  problems.set(ask.dataset.ref, { words, grave });
  showProblem(ask);
  tell("moved");
}

// Takes up the problems that stand in what the program drew.
function gather(root) {
  for (const ask of root.querySelectorAll(".ask[data-problem]"))
    problems.set(ask.dataset.ref, {
      words: ask.querySelector(".ask-problem").textContent,
      grave: ask.dataset.problem === "error",
    });
}

listen("drawn", gather);
gather(sheet);
