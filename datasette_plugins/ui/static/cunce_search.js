// "/" goes to the search: the page's own, else the start page's.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const typing = "input:not([type=radio], [type=checkbox], [type=button], [type=file]), textarea, select, dialog, [contenteditable]";
  if (event.target.closest(typing)) return;
  event.preventDefault();
  const input = [...document.querySelectorAll("input[type=search]")].find((one) => one.offsetParent !== null);
  if (!input) {
    location.assign(document.querySelector(".brand").href);
    return;
  }
  input.focus();
  input.select();
});
