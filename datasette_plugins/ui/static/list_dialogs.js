// Dialogs of a list: which columns, saved views, and one answer for all the rows that are chosen.

import { remember, controlOf, undo } from "./list_edit.js";
import { activeColumn, chosen, renew } from "./list_grid.js";
import { ask, column, data, element, make, problemsOf, query, shown, tell, views, word } from "./list_page.js";

const box = element("dialog");
const buttons = (...made) => make("div", { class: "buttons" }, ...made);
const button = (text, press, name = "") => make("button", { type: "button", class: name, onclick: press }, text);

function open(title, ...content) {
  box.onkeydown = null;
  box.replaceChildren(make("h2", { id: "dialog-title" }, title), ...content);
  if (!box.open) box.showModal();
}

export function columnsDialog() {
  let names = [...shown.columns];
  const place = make("div", { class: "sections", tabindex: "-1" });

  function draw(focus = "") {
    const sections = new Map();
    for (const each of data.known) {
      if (names.includes(each.name)) continue;
      sections.set(each.section, [...(sections.get(each.section) ?? []), each.name]);
    }
    const parts = names.map((name, at) => line(name, at));
    for (const [section, rest] of sections) {
      if (section) parts.push(make("h3", {}, section));
      parts.push(...rest.map((name) => line(name, -1)));
    }
    place.replaceChildren(...parts);
    if (focus) place.querySelector(focus)?.focus();
  }

  function line(name, at) {
    const about = column(name);
    const check = make("input", { type: "checkbox", value: name });
    check.checked = at >= 0;
    check.addEventListener("change", () => {
      names = check.checked ? [...names, name] : names.filter((each) => each !== name);
      draw(`input[value="${CSS.escape(name)}"]`);
    });
    const row = make("div", { class: "choice" }, make("label", {}, check, " ", about.label));
    const shift = (step, text, said) => button(text, () => {
      names.splice(at, 1);
      names.splice(at + step, 0, name);
      draw(`[data-shift="${step}${CSS.escape(name)}"]`);
    });
    for (const [step, text, said] of at < 0 ? [] : [[-1, "↑", "earlier"], [1, "↓", "later"]]) {
      const made = shift(step, text, said);
      made.dataset.shift = `${step}${name}`;
      made.setAttribute("aria-label", word(said, { name: about.label }));
      made.disabled = at + step < 0 || at + step >= names.length;
      row.append(made);
    }
    return row;
  }

  const use = () => {
    if (!names.length) return;
    shown.columns = names;
    box.close();
    document.dispatchEvent(new Event("list:columns"));
  };
  open(word("columns_title"), place, buttons(
    button(word("ok"), use, "primary"),
    button(word("columns_all"), () => { names = [...new Set([...names, ...data.known.map((each) => each.name)])]; draw(); }),
    button(word("columns_usual"), async () => { await ask("remember", { columns: [] }); location.assign(`${data.path}?${query({}, { withColumns: false })}`); }),
    button(word("cancel"), () => box.close())));
  draw();
}

export function viewsDialog() {
  const name = make("input", { type: "text", id: "view-name", maxlength: "60" });
  const list = make("ul", { class: "views" });

  function draw() {
    const names = Object.keys(views);
    list.replaceChildren(...names.map((each) => make("li", {},
      make("a", { href: `${data.path}?${views[each]}` }, each),
      make("button", { type: "button", "aria-label": word("view_forget", { name: each }), onclick: () => keep(each, "") }, "×"))));
    if (!names.length) list.replaceChildren(make("li", { class: "muted" }, word("views_none")));
  }
  async function keep(view, text) {
    const answer = await ask("remember", { view, query: text });
    if (answer.status !== 200) return tell(problemsOf(answer), { bad: true });
    for (const each of Object.keys(views)) delete views[each];
    Object.assign(views, answer.body.views);
    name.value = "";
    draw();
  }
  const save = () => { if (name.value.trim()) keep(name.value.trim(), query()); };
  open(word("views_title"), list, make("label", { for: "view-name" }, word("view_name")),
    make("p", { class: "row-of" }, name, button(word("view_save"), save, "primary")), buttons(button(word("close"), () => box.close())));
  box.onkeydown = (event) => {
    if (event.key === "Enter" && event.target === name && !event.isComposing) { event.preventDefault(); save(); }
  };
  draw();
  name.focus();
}

// One answer for all that are chosen: what refuses it is listed, and then nothing was changed.
export function manyDialog() {
  if (!chosen.size) return tell(word("choose_first"));
  const count = chosen.size;
  const known = data.known.filter((each) => !each.fixed);
  const which = make("select", { id: "many-which" }, ...known.map((each) => make("option", { value: each.name }, each.label)));
  if (known.some((each) => each.name === activeColumn())) which.value = activeColumn();
  const place = make("div");
  const told = make("div", { role: "alert" });
  const go = button(word("apply", { count }), () => apply(), "primary");
  let control = null;
  let about = null;

  async function ready() {
    control = null;
    go.disabled = true;
    told.replaceChildren();
    place.replaceChildren(word("loading"));
    const [row] = chosen.keys();
    const asked = await ask(`cell?${new URLSearchParams({ row, column: which.value })}`);
    about = asked.body;
    if (asked.status !== 200 || about.why) return place.replaceChildren(about.why ?? problemsOf(asked));
    control = controlOf({ ...about, value: "", shown: "" }, row, which.value, () => {});
    go.disabled = false;
    place.replaceChildren(control.node);
    control.focus();
  }
  async function apply() {
    if (!control || go.disabled) return;
    go.disabled = true;
    told.replaceChildren(make("p", { class: "muted" }, word("changing", { count })));
    const { status, body } = await ask(`change?${query()}`, {
      column: which.value, kind: about.kind, value: control.read(), rows: Object.fromEntries(chosen),
    });
    go.disabled = false;
    told.replaceChildren();
    if (body.rows) renew(body.rows);
    if (status === 200) {
      box.close();
      if (body.save) remember(body.save);
      return tell(body.save ? word("saved_many", { count }) : word("same"), body.save ? { undo } : {});
    }
    if (!body.refused) return told.replaceChildren(make("p", { class: "notice notice-error" }, problemsOf({ status, body })));
    told.replaceChildren(make("p", { class: "notice notice-error" }, word("refused", { count: body.refused.length })),
      make("ul", { class: "refused" }, ...body.refused.map((each) => make("li", {},
        make("a", { href: `${data.path}/-/open/${encodeURIComponent(each.row)}`, target: "_blank" }, each.name), `　${each.words}`))));
  }
  which.addEventListener("change", ready);
  open(word("change_title", { count }), make("label", { for: "many-which" }, word("which")), make("p", {}, which),
    make("p", {}, word("to")), place, told, buttons(go, button(word("cancel"), () => box.close())));
  box.onkeydown = (event) => {
    if (event.key === "Enter" && event.target.matches("input") && !event.isComposing) { event.preventDefault(); apply(); }
  };
  ready();
}
