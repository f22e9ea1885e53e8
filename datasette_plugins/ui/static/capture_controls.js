// Controls: how the answer of each kind of question is read, shown and entered.
//
// A kind is what `controls.py` calls it and `data-kind` of an `.ask` says. Whoever brings a new one draws it in
// `capture/blocks.html` (macro `control`) and calls `register(kind, control)` in a module of its own, which form.html
// loads before capture.js. A control is an object of:
//   read(ask)                 the answer as text, "" for none
//   show(ask, value, shown)   put an answer there; `value` as stored, `shown` for reading
//   entry(ask)                the element that the keyboard enters, null where nothing is entered
//   pick(ask, number)         optional: take the nth choice (from 1); true when there is one
//   single                    optional: true where a choice answers the question, so that the keyboard goes on
//   stepped                   optional: true where arrow keys walk among choices that are one stop for Tab
//   settle(ask)               optional, async: decide what was typed; "taken", "open" or "unknown"
// A control that changes its answer calls `send(ask)` of capture_draft.js; what is drawn anew is told as "drawn".
const kinds = new Map();
const TYPED = ".ask-control input[type=text]:not([role=combobox]), .ask-control textarea";

export const all = (ask, selector) => [...ask.querySelectorAll(selector)];
export const typed = (ask) => ask.querySelector(TYPED);
const boxes = (ask) => all(ask, ".ask-control input[type=radio], .ask-control input[type=checkbox]");
const finder = (ask) => ask.querySelector("input[role=combobox]");

export function register(kind, control) {
  kinds.set(kind, control);
}

export const of = (ask) => kinds.get(ask.dataset.kind) ?? text;
export const read = (ask) => of(ask).read(ask);
export const show = (ask, value, shown) => of(ask).show(ask, value, shown);
export const entry = (ask) => of(ask).entry(ask);
export const pick = (ask, number) => of(ask).pick?.(ask, number) ?? false;

const text = {
  read: (ask) => typed(ask)?.value ?? "",
  show(ask, value) {
    const input = typed(ask);
    if (input && input.value !== value) input.value = value;
    const slider = ask.querySelector(".slider");
    if (slider && value !== "") slider.value = value;
  },
  entry: typed,
};

const nothing = { read: () => "", show() {}, entry: () => null };

function pickBox(ask, number) {
  const target = boxes(ask)[number - 1];
  if (!target) return false;
  target.focus();
  if (target.type !== "radio" || !target.checked) target.click();
  return true;
}

const readBoxes = (ask) => boxes(ask).filter((box) => box.checked).map((box) => box.value).join(" ");

register("radio", {
  read: readBoxes,
  show(ask, value) {
    boxes(ask).forEach((box) => (box.checked = box.value === value && value !== ""));
    const clear = ask.querySelector(".unpick");
    if (clear) clear.hidden = value === "";
  },
  entry: (ask) => boxes(ask).find((box) => box.checked) ?? boxes(ask)[0] ?? null,
  pick: pickBox,
  single: true,
});

register("check", {
  read: readBoxes,
  show(ask, value) {
    const chosen = new Set(value.split(" "));
    boxes(ask).forEach((box) => (box.checked = chosen.has(box.value)));
  },
  entry: (ask) => boxes(ask)[0] ?? null,
  pick: pickBox,
  stepped: true,
});

register("confirm", {
  read: readBoxes,
  show: (ask, value) => boxes(ask).forEach((box) => (box.checked = value !== "")),
  entry: (ask) => boxes(ask)[0] ?? null,
  pick: pickBox,
});

const ranks = (ask) => ask.querySelector(".ranks");

function showRanks(ask, value) {
  const group = ranks(ask);
  if (!group) return;
  group.dataset.value = value;
  const order = value.split(" ").filter(Boolean);
  all(ask, ".rank").forEach((button) => {
    const at = order.indexOf(button.value);
    button.querySelector(".place").textContent = at < 0 ? "" : at + 1;
  });
}

export function toggleRank(ask, button) {
  const order = ranks(ask).dataset.value.split(" ").filter(Boolean);
  const at = order.indexOf(button.value);
  if (at < 0) order.push(button.value);
  else order.splice(at, 1);
  showRanks(ask, order.join(" "));
}

register("rank", {
  read: (ask) => ranks(ask)?.dataset.value ?? "",
  show: showRanks,
  entry: (ask) => ask.querySelector(".rank"),
  pick(ask, number) {
    const target = all(ask, ".rank")[number - 1];
    target?.focus();
    target?.click();
    return Boolean(target);
  },
  stepped: true,
});

register("search", {
  read: (ask) => finder(ask)?.dataset.value ?? "",
  show(ask, value, shown) {
    const input = finder(ask);
    if (!input) return;
    Object.assign(input.dataset, { value, shown });
    input.value = shown;
  },
  entry: finder,
});

register("readout", {
  ...nothing,
  show(ask, value, shown) {
    const output = ask.querySelector("output");
    if (output) output.textContent = shown || value;
  },
});
register("note", nothing);
register("unable", nothing);

// Arrow keys within choices that are one stop for Tab.
export function step(ask, by) {
  const targets = all(ask, ".ask-control input[type=checkbox], .rank").filter((target) => target.offsetParent);
  const at = targets.indexOf(document.activeElement);
  const next = targets[at + by];
  if (at < 0 || !next) return;
  targets.forEach((target) => (target.tabIndex = target === next ? 0 : -1));
  next.focus();
}
