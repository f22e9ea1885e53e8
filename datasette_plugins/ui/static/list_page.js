// What a list's page is made of: elements, words, what is shown, and asking the program. Imports nothing.

export const data = JSON.parse(document.getElementById("list-data").textContent);
export const element = (id) => document.getElementById(id);
export const grid = element("grid");
export const frame = element("frame");

// What is shown; `filters`: words as the program reads them (`age>=60`).
export const shown = {
  text: data.text, status: data.status, sort: data.sort, filters: data.filters, columns: data.columns,
};
export const views = { ...data.views };

export function word(key, slots = {}) {
  return (data.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => slots[name] ?? "");
}

export function column(name) {
  if (name === "!wrong") return { name, label: word("wrong"), kind: "note", choices: [], fixed: true, section: "" };
  return data.known.find((one) => one.name === name) ?? { name, label: name, kind: "own", choices: [], fixed: true, section: "" };
}

// The columns on the screen: with errors asked for, what is wrong stands beside the name.
export function columns() {
  if (shown.status !== "errors") return shown.columns;
  return [shown.columns[0], "!wrong", ...shown.columns.slice(1)];
}

export function query(more = {}, { withColumns = true } = {}) {
  const found = new URLSearchParams();
  for (const each of shown.filters) found.append("f", each);
  if (shown.text) found.set("q", shown.text);
  if (shown.status) found.set("status", shown.status);
  if (shown.sort) found.set("sort", shown.sort);
  if (withColumns) found.set("c", shown.columns.join(","));
  for (const [name, value] of Object.entries(more)) found.set(name, value);
  return found.toString();
}

// Ask the program; `status` 0 where it does not answer.
export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", "x-cunce": "capture" },
  };
  try {
    const response = await fetch(`${data.path}/-/${path}`, options);
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: {} };
  }
}

export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Say something for a while; `undo`: what a button beside it does.
export function tell(text, { bad = false, undo = null } = {}) {
  const said = make("p", bad ? { class: "bad" } : {}, text);
  if (undo) {
    said.append(make("button", { type: "button", onclick: () => { said.remove(); undo(); } }, word("undo")));
  }
  element("told").replaceChildren(said);
  setTimeout(() => said.remove(), bad ? 12000 : 6000);
}

export function problemsOf({ status, body }) {
  if (status === 0) return word("offline");
  return body.problems?.length ? body.problems.join(" ") : word("failed");
}

// A pop-up beside an element, closed by Escape, by leaving it, or by `close`.
let popup = null;
export function open(beside, content, { name = "", label = "", closed = () => {} } = {}) {
  close();
  const node = make("div", { class: `popup ${name}`, role: "dialog", "aria-label": label }, ...content);
  document.body.append(node);
  const zoom = document.body.currentCSSZoom ?? 1; // a larger text size is a zoomed page, measured unzoomed
  const place = beside.getBoundingClientRect();
  node.style.minWidth = `${Math.max(240, place.width / zoom)}px`;
  const box = node.getBoundingClientRect();
  node.style.left = `${Math.max(8, Math.min(place.left, innerWidth - box.width - 8)) / zoom}px`;
  const under = place.bottom + box.height < innerHeight || place.top < box.height;
  const top = under ? Math.min(name === "editor" ? place.top : place.bottom, innerHeight - box.height - 8) : place.top - box.height;
  node.style.top = `${top / zoom}px`;
  popup = { node, closed };
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    event.preventDefault();
    close();
  });
  return node;
}

export function close() {
  if (!popup) return;
  const { node, closed } = popup;
  popup = null;
  node.remove();
  closed();
}

document.addEventListener("pointerdown", (event) => {
  if (popup && !popup.node.contains(event.target)) close();
});
