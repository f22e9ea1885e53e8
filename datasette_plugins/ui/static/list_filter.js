// Sorting and filtering: the pop-up under a header, the dialog over all questions, and the conditions in force.

import { close, column, data, element, make, open, shown, word } from "./list_page.js";

const SIGN = /^(.*?)(!=|>=|<=|=|>|<|~)(.*)$/s;
const again = () => document.dispatchEvent(new Event("list:again"));

const parse = (filter) => { const [, name, sign, value] = filter.match(SIGN) ?? [, filter, "", ""]; return { name, sign, value }; };
const of = (name) => shown.filters.map(parse).filter((each) => each.name === name);

export function set(name, words) {
  shown.filters = [...shown.filters.filter((each) => parse(each).name !== name), ...words];
  again();
}

// Controls for one question's conditions, and what they say.
function controls(about) {
  const now = of(about.name);
  const had = (sign) => now.find((each) => each.sign === sign && each.value !== "")?.value ?? "";
  const parts = [];
  const reads = [];
  if (about.choices.length) {
    const chosen = new Set(had("=").split("|"));
    parts.push(make("ul", { class: "options", role: "group", "aria-label": about.label }, ...about.choices.map(([code, label]) => {
      const box = make("input", { type: "checkbox", value: code });
      box.checked = chosen.has(code);
      return make("li", {}, make("label", { class: "choice" }, box, label));
    })));
    reads.push(() => {
      const codes = [...parts[0].querySelectorAll("input:checked")].map((box) => box.value);
      return codes.length ? [`${about.name}=${codes.join("|")}`] : [];
    });
  } else if (about.kind === "number" || about.kind === "date") {
    const one = (sign, text) => {
      const input = make("input", { type: "text", inputmode: about.kind === "number" ? "decimal" : "numeric", "aria-label": text, placeholder: about.kind === "date" ? word("date_hint") : undefined });
      input.value = had(sign).replace(/T99$/, "");
      reads.push(() => (input.value.trim() ? [`${about.name}${sign}${about.kind === "date" ? day(input.value, sign) : input.value.trim()}`] : []));
      return input;
    };
    parts.push(make("div", { class: "line" }, word("from"), one(">=", word("from")), word("until"), one("<=", word("until"))));
  } else {
    const input = make("input", { type: "text", "aria-label": word("contains"), autocomplete: "off" });
    input.value = had("~");
    reads.push(() => (input.value.trim() ? [`${about.name}~${input.value.trim()}`] : []));
    parts.push(make("div", { class: "line" }, word("contains"), input));
  }
  const answered = make("select", { "aria-label": word("answered") },
    make("option", { value: "" }, word("any")), make("option", { value: "=" }, word("empty")), make("option", { value: "!=" }, word("filled")));
  answered.value = now.find((each) => each.value === "")?.sign ?? "";
  reads.push(() => (answered.value ? [`${about.name}${answered.value}`] : []));
  parts.push(make("div", { class: "line" }, word("answered"), answered));
  return { parts, read: () => reads.flatMap((each) => each()) };
}

// 20260304, 2026-03 or 2026 as text that compares with dates and with moments; the last of its days where it ends.
function day(text, sign) {
  const digits = text.replace(/\D/g, "");
  const parts = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8)].filter(Boolean);
  const end = ["12", "31"].slice(parts.length - 1);
  return (sign === "<=" ? [...parts, ...end] : parts).join("-") + (sign === "<=" ? "T99" : "");
}

export function header(button) {
  const about = column(button.dataset.header);
  if (about.name === "!wrong") return;
  const { parts, read } = controls(about);
  const sort = (value, text) => make("button", { type: "button", onclick: () => { shown.sort = value; close(); again(); } }, text);
  const use = () => { const words = read(); close(); set(about.name, words); };
  const node = open(button, [
    make("h2", {}, about.label),
    make("div", { class: "line" }, sort(about.name, `↑ ${word("sort_up")}`), sort(`-${about.name}`, `↓ ${word("sort_down")}`)),
    ...parts,
    make("div", { class: "line" },
      make("button", { type: "button", class: "primary", onclick: use }, word("ok")),
      make("button", { type: "button", onclick: () => { close(); hide(about.name); } }, word("hide"))),
  ], { label: word("sort_of", { name: about.label }), closed: () => document.querySelector(`[data-header="${CSS.escape(about.name)}"]`)?.focus() });
  enters(node, use);
  (node.querySelector(".line input, .options input") ?? node.querySelector("button")).focus();
}

function enters(node, use) {
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.target.tagName === "BUTTON") return;
    event.preventDefault();
    use();
  });
}

function hide(name) {
  if (shown.columns.length < 2) return;
  shown.columns = shown.columns.filter((each) => each !== name);
  document.dispatchEvent(new Event("list:columns"));
}

export function dialog() {
  const box = element("dialog");
  const select = make("select", { id: "filter-which" }, ...data.known.filter((one) => !["point", "shape", "media"].includes(one.kind)).map((one) => make("option", { value: one.name }, one.label)));
  const place = make("div");
  let current = null;
  const draw = () => { current = controls(column(select.value)); place.replaceChildren(...current.parts); };
  select.addEventListener("change", draw);
  const use = () => { const words = current.read(); box.close(); set(select.value, words); };
  box.replaceChildren(
    make("h2", { id: "dialog-title" }, word("filter_by")), make("label", { for: "filter-which", class: "unseen" }, word("filter_by")), make("p", {}, select), place,
    make("div", { class: "buttons" },
      make("button", { type: "button", class: "primary", onclick: use }, word("ok")),
      make("button", { type: "button", onclick: () => box.close() }, word("cancel"))));
  box.onkeydown = (event) => {
    if (event.key === "Enter" && event.target.matches("input") && !event.isComposing) { event.preventDefault(); use(); }
  };
  draw();
  box.showModal();
}

// The conditions in force, each with a way out.
export function chips() {
  const node = (text, remove) => make("li", { class: "chip" }, make("span", {}, text),
    make("button", { type: "button", "aria-label": word("remove", { what: text }), onclick: remove }, "×"));
  const made = shown.filters.filter((each) => !isVillage(each)).map((filter) => {
    const { name, sign, value } = parse(filter);
    return node(said(column(name), sign, value), () => {
      shown.filters = shown.filters.filter((each) => each !== filter);
      again();
    });
  });
  if (shown.sort) {
    const name = column(shown.sort.replace("-", "")).label;
    made.push(node(`${name} ${shown.sort.startsWith("-") ? "↓" : "↑"}`, () => { shown.sort = ""; again(); }));
  }
  element("chips").replaceChildren(...made);
}

export function isVillage(filter) {
  const { name, sign, value } = parse(filter);
  return name === data.village && sign === "=" && value in data.villages;
}

function said(about, sign, value) {
  if (value === "") return `${about.label}：${word(sign === "=" ? "empty" : "filled")}`;
  const labels = new Map(about.choices);
  const text = about.choices.length ? value.split("|").map((code) => labels.get(code) ?? code).join("、") : value.replace(/T99$/, "");
  return `${about.label} ${{ "~": word("contains"), ">=": "≥", "<=": "≤", "=": "：", "!=": "≠" }[sign] ?? sign} ${text}`;
}
