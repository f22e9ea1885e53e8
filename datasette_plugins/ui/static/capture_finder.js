// A list found by typing. `look(ref, text)` gives {options, more}; `chosen(ask)` is told of a choice.
export class Finder {
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
    this.place();
    this.sure = true;
    this.input.setAttribute("aria-expanded", "true");
    const current = this.options.findIndex((item) => item.dataset.value === this.input.dataset.value);
    this.listed = text;
    this.walked = false;
    this.mark(text ? 0 : current);
  }

  // In a table that scrolls sideways the list would be cut off: there it stands where the cell is on the screen.
  place() {
    if (!this.input.closest(".lines")) return;
    const box = this.input.getBoundingClientRect();
    const below = innerHeight - box.bottom - 70 > 180;
    Object.assign(this.list.style, {
      position: "fixed", left: `${box.left}px`, right: "auto", minWidth: `${Math.max(box.width, 180)}px`,
      top: below ? `${box.bottom + 2}px` : "auto", bottom: below ? "auto" : `${innerHeight - box.top + 2}px`, maxHeight: "260px",
    });
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
