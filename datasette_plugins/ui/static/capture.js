// The form page: sends each change to the program on this machine, shows what it answers, and is driven by keys.
"use strict";

(() => {
  const page = document.getElementById("capture");
  if (!page) return;
  const { Line, controls } = window.cunce;
  const words = JSON.parse(document.getElementById("capture-words").textContent);
  const say = (name, slots = {}) => words[name].replace(/\{(\w+)\}/g, (_, slot) => slots[slot] ?? "");
  const by = (id) => document.getElementById(id);
  const sheet = by("sheet");
  const PAUSE = 300; // ms without typing before a text is sent
  const PATIENT = 500; // ms that moving on waits for the program's answer

  const timers = new Map(); // ref -> timer of a text being typed
  const late = new Map(); // ref -> canonical value, shown when the question is left
  const problems = new Map(); // ref -> {words, grave}
  const finders = new WeakMap();
  let typing = ""; // the question whose text is being typed: its problem waits until it is left
  let tried = false; // saving was tried: what is missing is listed
  let saving = false;
  let leaving = false;
  let touched = false;
  let moving = false; // on the way to the next question
  const pressed = []; // keys pressed meanwhile
  let refused = false; // the last step was not kept, for a reason the page shows

  const find = (ref) => sheet.querySelector(`[data-ref="${CSS.escape(ref)}"]`);
  const askOf = (node) => node?.closest?.(".ask") ?? null;
  const visible = (node) => node.offsetParent !== null;

  const line = new Line(
    page.dataset.send,
    JSON.parse(by("capture-key").textContent),
    Number(page.dataset.counter),
    { answer: kept, down, conflict, locked, failed: unkept, moved: showKept },
  );

  /* Sending */

  function send(ask) {
    const ref = ask.dataset.ref;
    clearTimeout(timers.get(ref));
    timers.delete(ref);
    touched = true;
    line.push({ op: "set", ref, value: controls.read(ask) });
  }

  function commit(ask) {
    if (!ask) return;
    const ref = ask.dataset.ref;
    if (timers.has(ref)) send(ask);
    if (typing === ref) typing = "";
    if (late.has(ref) && !line.holds(ref)) {
      controls.show(ask, late.get(ref), late.get(ref));
      late.delete(ref);
    }
    showProblem(ask);
  }

  function commitAll() {
    [...timers.keys()].forEach((ref) => commit(find(ref)));
    commit(askOf(document.activeElement));
  }

  function structural(change) {
    commitAll();
    const repeat = find(change.op === "add" ? change.ref : change.repeat || change.ref);
    const outer = repeat?.closest(".part")?.querySelector(".repeat");
    // Rows are named by their position: nothing in them may change until the answer has put them in their new places.
    if (outer && change.op !== "add") outer.inert = true;
    hideToast();
    touched = true;
    line.push(change);
  }

  /* What the program answers */

  function kept(reply) {
    if (refused) by("bar-conflict").hidden = true; // a step that is kept keeps the whole draft
    refused = false;
    answer(reply);
  }

  function answer(reply) {
    for (const whole of reply.blocks ?? []) replaceBlock(whole);
    for (const view of reply.views ?? []) patch(view);
    sheet.querySelectorAll("[inert]").forEach((node) => (node.inert = false));
    if (reply.removed) showToast(reply.removed);
    if (reply.focus) enterBlock(find(reply.focus));
    refreshLater();
  }

  function replaceBlock({ ref, html }) {
    const old = find(ref);
    if (!old) return;
    const active = document.activeElement;
    const focused = old.contains(active) ? askOf(active)?.dataset.ref : null;
    const text = focused && timers.has(focused) ? active.value : null;
    const holder = document.createElement("template");
    holder.innerHTML = html;
    old.replaceWith(holder.content);
    gather(find(ref));
    if (!focused) return;
    const ask = find(focused);
    const target = ask && controls.entry(ask);
    if (text !== null && target) target.value = text;
    target?.focus();
  }

  function patch(view) {
    const node = find(view.ref);
    if (!node) return;
    if ("on" in view) node.hidden = !view.on;
    if ("label" in view) labelOf(node).innerHTML = view.label;
    if (!node.classList.contains("ask")) return;
    const hint = node.querySelector(".ask-hint");
    if ("hint" in view && hint) hint.innerHTML = view.hint;
    if ("required" in view) node.querySelector(".must").hidden = !view.required;
    if ("control" in view) redraw(node, view);
    else if ("value" in view) showValue(node, view);
    if ("problem" in view) {
      if (view.problem) problems.set(view.ref, { words: view.problem, grave: view.grave !== false });
      else problems.delete(view.ref);
      showProblem(node);
    }
  }

  function labelOf(node) {
    if (node.classList.contains("ask")) return node.querySelector("[id^='l:']");
    return node.querySelector(node.dataset.kind === "row" ? ".row-name" : ":scope > .block-label") ?? document.createElement("i");
  }

  function redraw(ask, view) {
    const had = ask.contains(document.activeElement);
    const kind = view.kind ?? ask.dataset.kind;
    ask.classList.replace(`ask-${ask.dataset.kind}`, `ask-${kind}`);
    ask.dataset.kind = kind;
    ask.querySelector(".ask-control").innerHTML = view.control;
    if (had) controls.entry(ask)?.focus();
  }

  function showValue(ask, view) {
    if (line.holds(view.ref) || timers.has(view.ref)) return;
    if (typing === view.ref) late.set(view.ref, view.value);
    else controls.show(ask, view.value, view.shown || view.value);
  }

  function showProblem(ask) {
    const ref = ask.dataset.ref;
    const found = problems.get(ref);
    const quiet = typing === ref;
    const box = ask.querySelector(".ask-problem");
    if (!box) return;
    box.textContent = found && !quiet ? found.words : "";
    if (found && !quiet) ask.dataset.problem = found.grave ? "error" : "warning";
    else delete ask.dataset.problem;
    const entry = controls.entry(ask);
    if (entry) entry.setAttribute("aria-invalid", ask.dataset.problem === "error" ? "true" : "false");
  }

  /* Bars, status, summary, rail */

  function down(isDown) {
    by("bar-offline").textContent = say("capture.js.offline");
    by("bar-offline").hidden = !isDown;
    by("bar-back").textContent = say("capture.js.back");
    by("bar-back").hidden = isDown;
    if (!isDown) setTimeout(() => (by("bar-back").hidden = true), 4000);
  }

  function conflict(reply, unsent) {
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
      leaving = true;
      location.assign(gone ? page.dataset.home : location.href);
    });
    bar.append(button);
    bar.hidden = false;
    sheet.inert = true;
    button.focus();
  }

  function locked() {
    const bar = by("bar-conflict");
    bar.textContent = say("capture.js.locked");
    bar.hidden = false;
  }

  function failed(found) {
    const bar = by("bar-conflict");
    bar.textContent = say("capture.js.failed", { what: found.join("；") });
    bar.hidden = false;
    setTimeout(() => (bar.hidden = !refused), 12000);
  }

  function unkept(found) {
    failed(found);
    refused = true;
  }

  function showKept() {
    const kept = by("kept");
    if (refused) kept.textContent = say("capture.js.unkept");
    else if (line.busy || timers.size) kept.textContent = say("capture.js.keeping");
    else if (touched) kept.textContent = say("capture.js.kept", { time: new Date().toTimeString().slice(0, 8) });
    else kept.textContent = say("capture.js.untouched");
  }

  let refreshing = 0;
  function refreshLater() {
    if (!refreshing) refreshing = requestAnimationFrame(() => ((refreshing = 0), showRail(), showWrongs()));
  }

  function showRail() {
    for (const part of sheet.querySelectorAll(".part")) {
      const link = page.querySelector(`[data-rail="${part.dataset.part}"]`);
      if (!link) continue;
      const asks = [...part.querySelectorAll(".ask")].filter((ask) => controls.entry(ask) && visible(ask));
      const done = asks.filter((ask) => controls.read(ask) !== "").length;
      link.parentElement.hidden = !visible(part);
      link.querySelector(".rail-count").textContent = asks.length ? `${done}/${asks.length}` : "";
      link.classList.toggle("done", asks.length > 0 && done === asks.length);
      link.classList.toggle("wrong", part.querySelector("[data-problem=error]") !== null);
    }
  }

  const wrong = () => [...sheet.querySelectorAll("[data-problem=error]")].filter(visible);

  function showWrongs() {
    const found = wrong();
    const button = by("wrongs");
    button.hidden = !found.length;
    button.textContent = say("capture.js.missing", { count: found.length });
    const summary = by("summary");
    summary.hidden = !tried;
    if (!tried) return;
    summary.classList.toggle("fine", !found.length);
    by("summary-title").textContent = say(found.length ? "capture.js.problems" : "capture.js.fine", { count: found.length });
    by("summary-list").replaceChildren(...found.map((ask) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = "#";
      link.textContent = [rowName(ask), labelOf(ask).textContent, ask.querySelector(".ask-problem").textContent].filter(Boolean).join("：");
      link.addEventListener("click", (event) => (event.preventDefault(), enter(ask)));
      item.append(link);
      return item;
    }));
  }

  function rowName(ask) {
    const row = ask.closest(".row");
    if (!row) return "";
    const label = row.closest(".repeat").querySelector(".block-label").textContent;
    return `${label} ${row.querySelector(".row-number").textContent} ${row.querySelector(".row-name")?.textContent ?? ""}`.trim();
  }

  function showHere() {
    const links = [...page.querySelectorAll("[data-rail]")];
    if (!links.length) return;
    const parts = links.map((link) => by(`part-${link.dataset.rail}`));
    const focused = parts.findIndex((part) => part.contains(document.activeElement));
    const seen = parts.findLastIndex((part) => visible(part) && part.getBoundingClientRect().top < 160);
    const at = focused >= 0 ? focused : Math.max(0, seen);
    links.forEach((link, index) => link.classList.toggle("here", index === at));
    const rail = links[at].closest(".rail"); // scrolls by itself, never the page
    const entry = links[at].parentElement;
    if (entry.offsetTop < rail.scrollTop || entry.offsetTop + entry.offsetHeight > rail.scrollTop + rail.clientHeight)
      rail.scrollTop = entry.offsetTop - 40;
    if (rail.scrollWidth > rail.clientWidth) rail.scrollLeft = entry.offsetLeft - 40;
  }

  /* Moving about */

  function stops() {
    return [...sheet.querySelectorAll(".ask, .add")].filter(
      (node) => visible(node) && (node.classList.contains("add") || controls.entry(node)),
    );
  }

  function enter(stop) {
    const target = stop.classList.contains("ask") ? controls.entry(stop) : stop;
    if (!target) return;
    target.focus({ preventScroll: true });
    if (target.matches("input[type=text], textarea")) target.select();
    stop.scrollIntoView({ block: "nearest" });
  }

  function enterBlock(block) {
    const first = block && [...block.querySelectorAll(".ask")].find((ask) => visible(ask) && controls.entry(ask));
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
  async function advance(stop, by_ = 1) {
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
    if (ask?.dataset.kind === "search") {
      const state = await finders.get(ask.querySelector("input[role=combobox]"))?.resolve();
      if (state === "open") return;
      if (state === "unknown") return notListed(ask);
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

  function notListed(ask) {
    const input = ask.querySelector("input[role=combobox]");
    problems.set(ask.dataset.ref, { words: say("capture.js.not_listed", { typed: input.value }), grave: true });
    showProblem(ask);
    refreshLater();
  }

  async function play(key) {
    const target = document.activeElement;
    const ask = askOf(target);
    const finder = finders.get(target);
    if (key === "Enter" || key === "Tab") return ask ? move(ask, 1) : target.click();
    if (key === "Shift+Tab") return ask && move(ask, -1);
    if (finder && /^[1-9]$/.test(key)) {
      if (!finder.open) await finder.refresh();
      if (takeKeyed(finder, key)) return move(ask, 1);
    }
    if (target.matches("input[type=text], textarea")) return type(target, key);
    if (key === " ") return target.click();
    if (ask && /^[1-9]$/.test(key) && controls.pick(ask, Number(key)) && ask.dataset.kind === "radio") return move(ask, 1);
  }

  function type(target, key) {
    const { selectionStart: from, selectionEnd: to } = target;
    if (key === "Backspace") target.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
    else target.setRangeText(key, from, to, "end");
    target.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  async function pickByKey(ask, number) {
    if (!controls.pick(ask, number)) return;
    if (ask.dataset.kind === "radio") await advance(ask);
  }

  function add(button) {
    structural({ op: "add", ref: button.dataset.add, count: Number(button.dataset.count) });
  }

  function addNearest() {
    const here = document.activeElement;
    const own = here?.closest?.(".repeat[data-open='1']");
    const buttons = [...sheet.querySelectorAll(".add")].filter(visible);
    const after = buttons.find((button) => here && here.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING);
    const button = (own && [...own.children].find((node) => node.matches(".add"))) || after || buttons.at(-1);
    if (button) add(button);
  }

  function remove(ref) {
    const row = find(ref);
    const repeat = row?.closest(".repeat");
    if (!repeat || repeat.dataset.open !== "1") return;
    structural({ op: "remove", ref, repeat: repeat.dataset.ref, count: Number(repeat.dataset.count) });
  }

  function showToast(name) {
    by("toast-text").textContent = say("capture.js.removed", { what: name });
    by("toast").hidden = false;
  }

  function hideToast() {
    by("toast").hidden = true;
  }

  function undo() {
    if (by("toast").hidden) return;
    commitAll();
    structural({ op: "undo" });
  }

  function toPart(by_) {
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

  function toProblem() {
    const found = wrong();
    const here = document.activeElement;
    const next = found.find((ask) => !ask.contains(here) && here.compareDocumentPosition(ask) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (found.length) enter(next ?? found[0]);
  }

  /* Saving and leaving */

  async function save() {
    if (saving || leaving || line.stopped) return;
    saving = true;
    const button = by("save");
    button.setAttribute("aria-disabled", "true");
    commitAll();
    await line.settled();
    by("kept").textContent = say("capture.js.saving");
    const reply = line.stopped ? null : await line.post(page.dataset.save, {});
    saving = false;
    button.removeAttribute("aria-disabled");
    if (!reply) return showKept();
    if (reply.saved) {
      leaving = true;
      location.assign(reply.saved);
      return;
    }
    line.counter = reply.counter;
    tried = true;
    typing = "";
    answer(reply);
    if (reply.others) failed(reply.others);
    showKept();
    showWrongs();
    const first = wrong()[0];
    if (first) enter(first);
    by("summary").scrollIntoView({ block: "start" });
    if (first) first.scrollIntoView({ block: "nearest" });
  }

  async function discard() {
    const reply = await line.post(page.dataset.discard, {});
    if (!reply) return;
    leaving = true;
    location.assign(page.dataset.home);
  }

  addEventListener("pagehide", () => (commitAll(), line.flush()));
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && commitAll());
  addEventListener("beforeunload", (event) => {
    if (leaving) return;
    commitAll();
    if (line.busy && line.down) event.preventDefault();
  });

  addEventListener("pageshow", (event) => event.persisted && location.reload()); // what "back" shows may be old

  /* Events */

  sheet.addEventListener("submit", (event) => event.preventDefault());

  sheet.addEventListener("input", (event) => {
    const ask = askOf(event.target);
    if (!ask || event.isComposing) return;
    if (event.target.matches(".sift")) return sift(event.target);
    const finder = finders.get(event.target);
    if (finder) {
      finder.typing();
      return;
    }
    if (event.target.matches(".slider")) controls.typed(ask).value = event.target.value;
    else if (event.target.matches(".native")) return pickedDate(ask, event.target);
    else if (!event.target.matches("input[type=text], textarea")) return;
    textChanged(ask);
  });

  function textChanged(ask) {
    const ref = ask.dataset.ref;
    typing = ref;
    late.delete(ref);
    clearTimeout(timers.get(ref));
    timers.set(ref, setTimeout(() => send(ask), PAUSE));
    showProblem(ask);
    showKept();
  }

  function pickedDate(ask, native) {
    if (!native.value) return;
    controls.typed(ask).value = native.value;
    controls.typed(ask).focus();
    send(ask);
  }

  sheet.addEventListener("compositionend", (event) => {
    const ask = askOf(event.target);
    if (!ask) return;
    const finder = finders.get(event.target);
    if (finder) return finder.typing();
    textChanged(ask);
  });

  sheet.addEventListener("change", (event) => {
    const ask = askOf(event.target);
    if (!ask || !event.target.matches("input[type=radio], input[type=checkbox], .slider")) return;
    const clear = ask.querySelector(".unpick");
    if (clear) clear.hidden = false;
    send(ask);
  });

  sheet.addEventListener("click", (event) => {
    const target = event.target.closest("button, li[role=option]");
    if (!target || event.detail < 0) return;
    const ask = askOf(target);
    if (target.matches(".add")) add(target);
    else if (target.matches(".remove")) remove(target.dataset.remove);
    else if (target.matches(".unpick")) clearPick(ask);
    else if (target.matches(".rank")) controls.toggleRank(ask, target), send(ask);
    else if (target.matches(".calendar")) openCalendar(ask);
  });

  function clearPick(ask) {
    controls.show(ask, "", "");
    controls.entry(ask)?.focus();
    send(ask);
  }

  function openCalendar(ask) {
    const native = ask.querySelector(".native");
    native.value = /^\d{4}-\d\d-\d\d$/.test(controls.typed(ask).value) ? controls.typed(ask).value : "";
    native.showPicker?.();
  }

  sheet.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li[role=option]");
    if (!item) return;
    event.preventDefault();
    finders.get(item.closest(".finder").querySelector("input")).take(item);
  });

  sheet.addEventListener("focusin", (event) => {
    const ask = askOf(event.target);
    if (ask && event.target.matches("[role=combobox]")) {
      finderOf(event.target).refresh();
      event.target.select();
    }
    showHere();
  });

  sheet.addEventListener("focusout", async (event) => {
    const ask = askOf(event.target);
    if (!ask) return;
    const finder = finders.get(event.target);
    if (finder && event.target.value.trim() !== event.target.dataset.shown) {
      const state = await finder.resolve();
      finder.close();
      if (state !== "taken" && document.activeElement !== event.target) notListed(ask);
    } else finder?.close();
    commit(ask);
  });

  function finderOf(input) {
    if (!finders.has(input)) {
      finders.set(input, new controls.Finder(input, {
        words,
        chosen: (ask) => (problems.delete(ask.dataset.ref), showProblem(ask), send(ask)),
        look: async (ref, text) => {
          await line.settled(PATIENT);
          const query = new URLSearchParams({ ...line.key, ref, q: text });
          const response = await fetch(`${page.dataset.options}?${query}`);
          return response.ok ? response.json() : null;
        },
      }));
    }
    return finders.get(input);
  }

  function sift(input) {
    const text = input.value.trim().toLowerCase();
    for (const pick of askOf(input).querySelectorAll(".pick"))
      pick.hidden = text !== "" && !pick.textContent.toLowerCase().includes(text);
  }

  document.addEventListener("keydown", (event) => {
    if (!moving || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key.length !== 1 && !["Enter", "Tab", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    pressed.push(event.key === "Tab" && event.shiftKey ? "Shift+Tab" : event.key);
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (by("keys").open) return;
    if (shortcut(event)) event.preventDefault();
  });

  function shortcut(event) {
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && (key === "s" || key === "Enter")) return save(), true;
    if (event.altKey && !event.ctrlKey) {
      if (event.code === "KeyN") return addNearest(), true;
      if (event.code === "KeyZ") return undo(), true;
      if (event.code === "KeyJ") return toProblem(), true;
      if (key === "PageUp" || key === "PageDown") return toPart(key === "PageUp" ? -1 : 1), true;
      if (key === "Delete") {
        const row = document.activeElement?.closest?.(".row");
        return row ? (remove(row.dataset.ref), true) : false;
      }
      return false;
    }
    if (key === "F1") return by("keys").showModal(), true;
    if (event.ctrlKey || event.metaKey) return false;
    return inQuestion(event, askOf(document.activeElement));
  }

  function inQuestion(event, ask) {
    const { key, target } = event;
    const finder = finders.get(target);
    if (finder && finderKey(finder, key)) return true;
    if (!ask) return false;
    const text = target.matches("input[type=text], textarea");
    if (key === "Enter") {
      if (event.shiftKey && target.matches("textarea")) return false;
      if (target.matches(".unpick, .calendar")) return false;
      return advance(ask, event.shiftKey ? -1 : 1), true;
    }
    if (key === "Tab") return advance(ask, event.shiftKey ? -1 : 1), true;
    if (text) return false;
    if (/^[1-9]$/.test(key)) return pickByKey(ask, Number(key)), true;
    if ((key === "Backspace" || key === "Delete") && ask.dataset.kind === "radio") return clearPick(ask), true;
    if (ask.dataset.kind === "check" || ask.dataset.kind === "rank") {
      if (key === "ArrowDown" || key === "ArrowRight") return controls.step(ask, 1), true;
      if (key === "ArrowUp" || key === "ArrowLeft") return controls.step(ask, -1), true;
    }
    return false;
  }

  // The choice by its number, where the list shows numbers and nothing has been typed.
  function takeKeyed(finder, key) {
    const keyed = finder.open && finder.list.classList.contains("keyed") && finder.query === "";
    const item = keyed ? finder.options[key - 1] : null;
    if (item) finder.take(item);
    return Boolean(item);
  }

  function finderKey(finder, key) {
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (!finder.open) finder.refresh();
      else finder.walk(key === "ArrowDown" ? 1 : -1);
      return true;
    }
    if (/^[1-9]$/.test(key) && takeKeyed(finder, key)) return advance(finder.ask), true;
    if (key === "Escape") {
      finder.input.value = finder.input.dataset.shown;
      finder.close();
      return true;
    }
    return false;
  }

  by("save").addEventListener("click", save);
  by("wrongs").addEventListener("click", toProblem);
  by("toast-undo").addEventListener("click", undo);
  by("keys-open").addEventListener("click", () => by("keys").showModal());
  by("discard")?.addEventListener("click", discard);
  by("form-language")?.addEventListener("change", async (event) => {
    await line.settled();
    const target = new URL(location.href);
    target.searchParams.set("language", event.target.value);
    leaving = true;
    location.assign(target);
  });
  page.querySelectorAll("[data-rail]").forEach((link) =>
    link.addEventListener("click", (event) => (event.preventDefault(), openPart(link.dataset.rail))),
  );
  let scrolling = 0;
  addEventListener("scroll", () => {
    if (!scrolling) scrolling = requestAnimationFrame(() => ((scrolling = 0), showHere()));
  }, { passive: true });

  function gather(root) {
    for (const ask of root.querySelectorAll(".ask[data-problem]"))
      problems.set(ask.dataset.ref, {
        words: ask.querySelector(".ask-problem").textContent,
        grave: ask.dataset.problem === "error",
      });
  }

  gather(sheet);
  showRail();
  showWrongs();
  showKept();
  enterBlock(sheet);
  showHere();
  page.dataset.ready = "1";
})();
