// The page of a form: its elements, its words, and what its parts tell each other. Imports nothing.
export const page = document.getElementById("capture");
export const sheet = document.getElementById("sheet");
export const by = (id) => document.getElementById(id);
export const words = JSON.parse(by("capture-words").textContent);
export const say = (name, slots = {}) => words[name].replace(/\{(\w+)\}/g, (_, slot) => slots[slot] ?? "");

// What the parts of the page know together.
export const state = {
  tried: false, // saving was tried: what is missing is listed
  leaving: false, // the page is being left on purpose
};

export const find = (ref) => sheet.querySelector(`[data-ref="${CSS.escape(ref)}"]`);
export const askOf = (node) => node?.closest?.(".ask") ?? null;
export const visible = (node) => node.offsetParent !== null;
export const isText = (node) => node.matches("input[type=text], textarea");

export function labelOf(node) {
  if (node.classList.contains("ask")) return node.querySelector("[id^='l:']");
  return node.querySelector(node.dataset.kind === "row" ? ".row-name" : ":scope > .block-label") ?? document.createElement("i");
}

export function rowName(ask) {
  const row = ask.closest(".row");
  if (!row) return "";
  const label = row.closest(".repeat").querySelector(".block-label").textContent;
  return `${label} ${row.querySelector(".row-number").textContent} ${row.querySelector(".row-name")?.textContent ?? ""}`.trim();
}

const listeners = new Map();

// Events of the page: "answered" (reply), "drawn" (node that was drawn anew), "moved" (what is kept may have changed),
// "left" (ask whose answer is complete), "pointed" (ask answered from its list by a pointer).
export function listen(name, hear) {
  listeners.set(name, [...(listeners.get(name) ?? []), hear]);
}

export function tell(name, ...what) {
  for (const hear of listeners.get(name) ?? []) hear(...what);
}
