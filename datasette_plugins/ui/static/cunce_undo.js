// Ctrl+Z outside a text field undoes the last save; the page comes back and offers to redo it.
"use strict";

(() => {
  const script = document.currentScript;
  const written = new WeakSet();
  const fields = "input:not([type=radio], [type=checkbox], [type=button], [type=file]), textarea, select, dialog, [contenteditable]";
  document.addEventListener("input", (event) => written.add(event.target));

  // The search that has the focus from the start is no text field before something was typed.
  const typing = (node) => node.closest(fields) && (!node.matches("input[type=search]") || node.value || written.has(node));

  function undo() {
    const form = document.createElement("form");
    form.method = "post";
    form.action = script.dataset.saves;
    const given = {
      csrftoken: document.querySelector("meta[name=csrftoken]").content,
      back: location.pathname + location.search,
    };
    for (const [name, value] of Object.entries(given)) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(form);
    form.submit();
  }

  document.addEventListener("cunce:undo", undo);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.shiftKey || event.altKey) return;
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || typing(event.target)) return;
    event.preventDefault();
    undo();
  });
})();
