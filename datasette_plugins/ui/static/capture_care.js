// Import, sync and undo: hands a file in, follows a running job, settles conflicts by digits.
"use strict";

(() => {
  const chooser = document.getElementById("import-file");
  const drop = document.getElementById("import-drop");
  const state = document.getElementById("import-state");

  async function hand(file) {
    if (!file) return;
    state.textContent = state.dataset.reading;
    const headers = { "x-cunce": "capture", "x-name": encodeURIComponent(file.name) };
    const response = await fetch(chooser.dataset.upload, { method: "POST", body: file, headers }).catch(() => null);
    if (response?.ok) location.href = (await response.json()).next;
    else state.textContent = state.dataset.failed;
  }

  if (chooser) {
    chooser.addEventListener("change", () => hand(chooser.files[0]));
    for (const name of ["dragover", "drop"]) drop.addEventListener(name, (event) => event.preventDefault());
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, () => drop.classList.toggle("over", name === "dragover"));
    }
    drop.addEventListener("drop", (event) => hand(event.dataTransfer.files[0]));
  }

  for (const select of document.querySelectorAll("select[data-go]")) {
    select.addEventListener("change", () => {
      const query = new URLSearchParams();
      for (const each of document.querySelectorAll("select[data-go]")) {
        if (each === select || each.name === "form") query.set(each.name, each.value);
      }
      location.search = query;
    });
  }

  const running = document.getElementById("job");
  async function follow() {
    const response = await fetch(running.dataset.job).catch(() => null);
    const told = response?.ok ? await response.json() : null;
    if (told && !told.running) {
      location.reload();
      return;
    }
    if (told) {
      const bar = running.querySelector("progress");
      bar.max = Math.max(1, told.total);
      bar.value = told.done;
      const kilobytes = told.size ? ` · ${Math.ceil(told.size / 1000)} kB` : "";
      const left = told.left ? ` · ${running.dataset.left.replace("{seconds}", told.left)}` : "";
      running.querySelector("[data-count]").textContent = `${told.done} / ${told.total}${kilobytes}${left}`;
    }
    setTimeout(follow, 400);
  }
  if (running) follow();

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.target.closest("input, select, textarea")) return;
    const undo = document.getElementById("undo-last");
    if (undo && event.key === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      undo.click();
    } else if (/^[1-9]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey) {
      document.querySelectorAll(".conflict")[0]?.querySelectorAll(".way button")[Number(event.key) - 1]?.click();
    }
  });
})();
