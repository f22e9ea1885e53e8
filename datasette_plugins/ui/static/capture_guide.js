// The guide: one screen at a time, by buttons or arrow keys; the card of keys is printed from here.
"use strict";

(() => {
  const screens = [...document.querySelectorAll(".guide-screen")];
  const back = document.getElementById("guide-back");
  const next = document.getElementById("guide-next");
  let at = Math.max(0, screens.findIndex((screen) => `#${screen.id}` === location.hash));

  function show(place, focus) {
    at = Math.max(0, Math.min(screens.length - 1, place));
    screens.forEach((screen, one) => { screen.hidden = one !== at; });
    back.disabled = at === 0;
    next.disabled = at === screens.length - 1;
    if (focus) screens[at].focus({ preventScroll: true });
  }
  document.querySelector(".guide-steps").hidden = false;
  back.addEventListener("click", () => show(at - 1, true));
  next.addEventListener("click", () => show(at + 1, true));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "ArrowRight") show(at + 1, true);
    else if (event.key === "ArrowLeft") show(at - 1, true);
  });
  document.getElementById("print-keys").addEventListener("click", () => window.print());
  show(at, false);
})();
