// The start page: finds people and households while their name is being typed.
"use strict";

(() => {
  const input = document.getElementById("find");
  const found = document.getElementById("found");
  if (!input || !found) return;
  let timer = 0;
  let asked = 0;

  async function look() {
    const mine = ++asked;
    const text = input.value.trim();
    if (!text) {
      found.hidden = true;
      return;
    }
    const response = await fetch(`${input.dataset.find}?q=${encodeURIComponent(text)}`).catch(() => null);
    if (mine !== asked || !response?.ok) return;
    found.innerHTML = await response.text();
    mark(text);
    found.hidden = false;
  }

  // What was typed stands out in the names; what was found by its pinyin or number stays plain.
  function mark(text) {
    const words = text.split(/\s+/).filter(Boolean);
    for (const name of found.querySelectorAll(".hit-name")) {
      const whole = name.textContent;
      const word = words.find((one) => whole.toLowerCase().includes(one.toLowerCase()));
      if (!word) continue;
      const at = whole.toLowerCase().indexOf(word.toLowerCase());
      const marked = document.createElement("mark");
      marked.textContent = whole.slice(at, at + word.length);
      name.replaceChildren(whole.slice(0, at), marked, whole.slice(at + word.length));
    }
  }

  input.addEventListener("input", (event) => {
    if (event.isComposing) return;
    clearTimeout(timer);
    timer = setTimeout(look, 120);
  });
  input.addEventListener("compositionend", look);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !event.isComposing) found.querySelector("a")?.focus();
  });
  found.addEventListener("keydown", (event) => {
    const links = [...found.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown") links[at + 1]?.focus();
    else if (event.key === "ArrowUp") (links[at - 1] || input).focus();
    else return;
    event.preventDefault();
  });
})();
