// Controls: reading and showing the answer of each kind of question, and the list that is found by typing.
"use strict";

(() => {
  const TYPED = ".ask-control input[type=text]:not([role=combobox]), .ask-control textarea";

  const all = (ask, selector) => [...ask.querySelectorAll(selector)];
  const boxes = (ask) => all(ask, ".ask-control input[type=radio], .ask-control input[type=checkbox]");
  const typed = (ask) => ask.querySelector(TYPED);
  const finder = (ask) => ask.querySelector("input[role=combobox]");
  const ranks = (ask) => ask.querySelector(".ranks");

  function read(ask) {
    const kind = ask.dataset.kind;
    if (kind === "radio" || kind === "check" || kind === "confirm")
      return boxes(ask).filter((box) => box.checked).map((box) => box.value).join(" ");
    if (kind === "search") return finder(ask)?.dataset.value ?? "";
    if (kind === "rank") return ranks(ask)?.dataset.value ?? "";
    return typed(ask)?.value ?? "";
  }

  function show(ask, value, shown) {
    const kind = ask.dataset.kind;
    if (kind === "radio" || kind === "check" || kind === "confirm") {
      const chosen = new Set(kind === "check" ? value.split(" ") : [value]);
      boxes(ask).forEach((box) => (box.checked = kind === "confirm" ? value !== "" : chosen.has(box.value)));
      const clear = ask.querySelector(".unpick");
      if (clear) clear.hidden = value === "";
    } else if (kind === "search") {
      const input = finder(ask);
      if (!input) return;
      Object.assign(input.dataset, { value, shown });
      input.value = shown;
    } else if (kind === "rank") showRanks(ask, value);
    else if (kind === "readout") {
      const output = ask.querySelector("output");
      if (output) output.textContent = shown || value;
    } else {
      const input = typed(ask);
      if (input && input.value !== value) input.value = value;
      const slider = ask.querySelector(".slider");
      if (slider && value !== "") slider.value = value;
    }
  }

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

  function toggleRank(ask, button) {
    const order = ranks(ask).dataset.value.split(" ").filter(Boolean);
    const at = order.indexOf(button.value);
    if (at < 0) order.push(button.value);
    else order.splice(at, 1);
    showRanks(ask, order.join(" "));
  }

  // Where the keyboard enters a question; null for questions that are only read.
  function entry(ask) {
    const kind = ask.dataset.kind;
    if (kind === "radio" || kind === "check" || kind === "confirm") {
      const found = boxes(ask);
      return (kind === "radio" && found.find((box) => box.checked)) || found[0] || null;
    }
    if (kind === "rank") return ask.querySelector(".rank");
    return finder(ask) || typed(ask);
  }

  // The nth choice by number key; true when there is one.
  function pick(ask, number) {
    const targets = ask.dataset.kind === "rank" ? all(ask, ".rank") : boxes(ask);
    const target = targets[number - 1];
    if (!target) return false;
    target.focus();
    if (ask.dataset.kind !== "radio" || !target.checked) target.click();
    return true;
  }

  // Arrow keys within choices that are one stop for Tab.
  function step(ask, by) {
    const targets = all(ask, ".ask-control input[type=checkbox], .rank").filter((target) => target.offsetParent);
    const at = targets.indexOf(document.activeElement);
    const next = targets[at + by];
    if (at < 0 || !next) return;
    targets.forEach((target) => (target.tabIndex = target === next ? 0 : -1));
    next.focus();
  }

  // A list found by typing. `look(ref, text)` gives {options, more}; `chosen(ask)` is told of a choice.
  class Finder {
    constructor(input, { look, chosen, words }) {
      Object.assign(this, { input, look, chosen, words });
      this.list = input.parentElement.querySelector("ul");
      this.list.id = `o:${this.ask.dataset.ref}`;
      input.setAttribute("aria-controls", this.list.id);
      this.asked = 0;
      this.at = -1;
      this.listed = null; // the text that the list shows the choices for
      this.walked = false; // arrow keys chose the marked one
      this.sure = false; // the list has been seen with what is typed: Enter takes the marked one
    }

    get query() {
      return this.input.value === this.input.dataset.shown ? "" : this.input.value;
    }

    typing() {
      this.sure = false;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.refresh(), 80);
    }

    get ask() {
      return this.input.closest(".ask");
    }

    get open() {
      return !this.list.hidden;
    }

    get options() {
      return [...this.list.querySelectorAll("[role=option]")];
    }

    async refresh(left = false) {
      const mine = ++this.asked;
      const text = this.query;
      const found = await this.look(this.ask.dataset.ref, text).catch(() => null);
      if (mine !== this.asked || (!left && document.activeElement !== this.input) || !found || text !== this.query) return;
      const keyed = !text && !found.more && found.options.length <= 9;
      this.list.classList.toggle("keyed", keyed);
      const items = found.options.map((option, index) => {
        const item = document.createElement("li");
        item.role = "option";
        item.dataset.value = option.name;
        item.dataset.label = option.label;
        if (keyed) item.append(Object.assign(document.createElement("kbd"), { textContent: index + 1 }));
        item.append(option.label);
        return item;
      });
      if (!items.length) items.push(this.remark("none", this.words["capture.js.no_match"]));
      if (found.more) items.push(this.remark("more", this.words["capture.js.more"].replace("{count}", found.more)));
      this.list.replaceChildren(...items);
      this.list.hidden = false;
      this.sure = true;
      this.input.setAttribute("aria-expanded", "true");
      const current = this.options.findIndex((item) => item.dataset.value === this.input.dataset.value);
      this.listed = text;
      this.walked = false;
      this.mark(text ? 0 : current);
    }

    remark(name, words) {
      const item = document.createElement("li");
      item.className = name;
      item.textContent = words;
      return item;
    }

    walk(by) {
      this.mark(this.at + by);
      this.walked = true;
      this.sure = true;
    }

    mark(at) {
      const options = this.options;
      this.at = Math.max(-1, Math.min(at, options.length - 1));
      options.forEach((item, index) => {
        item.id = `${this.list.id}:${index}`;
        item.setAttribute("aria-selected", index === this.at ? "true" : "false");
      });
      const marked = options[this.at];
      if (marked) {
        marked.scrollIntoView({ block: "nearest" });
        this.input.setAttribute("aria-activedescendant", marked.id);
      } else this.input.removeAttribute("aria-activedescendant");
    }

    close() {
      this.asked++;
      this.list.hidden = true;
      this.at = -1;
      this.input.setAttribute("aria-expanded", "false");
      this.input.removeAttribute("aria-activedescendant");
    }

    take(item) {
      this.settle(item.dataset.value, item.dataset.label);
    }

    settle(value, shown) {
      const changed = value !== this.input.dataset.value;
      Object.assign(this.input.dataset, { value, shown });
      this.input.value = shown;
      this.close();
      if (changed) this.chosen(this.ask);
    }

    // Decides what the text in the box means: "taken", "open" (several fit, the list is shown) or "unknown".
    async resolve() {
      const text = this.input.value.trim();
      const walked = this.open && this.walked && this.listed === this.query ? this.options[this.at] : null;
      if (walked) return this.take(walked), "taken";
      if (text === this.input.dataset.shown) return this.close(), "taken";
      if (!text) return this.settle("", ""), "taken";
      clearTimeout(this.timer);
      if (!this.open || this.listed !== this.query) await this.refresh(true);
      const options = this.listed === this.query ? this.options : [];
      const exact = options.find((item) => item.dataset.label === text || item.dataset.value === text);
      const marked = this.open && this.sure ? options[this.at] : null;
      const item = exact || marked || (options.length === 1 ? options[0] : null);
      if (item) return this.take(item), "taken";
      if (this.open && options.length) return (this.sure = true), "open";
      return "unknown";
    }
  }

  window.cunce = { ...window.cunce, controls: { read, show, entry, pick, step, typed, toggleRank, Finder } };
})();
