// Questions answered by a photo, a recording, a drawing or a file: picked, dropped, pasted or drawn, kept at once.
import { register, show } from "./capture_controls.js";
import { line, send } from "./capture_draft.js";
import { draw } from "./capture_drawing.js";
import { onKey } from "./capture_keys.js";
import { askOf, find, page, say, sheet } from "./capture_page.js";

const ADDRESS = page.dataset.send.replace(/change$/, "media");
const IMAGES = /\.(jpg|png|webp|gif)$/;
const SOUNDS = /\.(mp3|m4a|ogg|wav|amr)$/;
const FILMS = /\.(mp4|webm|mov|3gp)$/;

const mediaOf = (ask) => ask?.querySelector(".media") ?? null;
const blob = (name, side) => `${page.dataset.blob}${name}${side ? `?side=${side}` : ""}`;
const sizeOf = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1024))} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

register("media", {
  read: (ask) => mediaOf(ask)?.dataset.value ?? "",
  show: (ask, value) => put(mediaOf(ask), value),
  entry: (ask) => ask.querySelector(".media-enter"),
});

function put(media, value) {
  if (!media || media.dataset.value === value) return;
  media.dataset.value = value;
  media.querySelector(".media-view").replaceChildren(viewOf(value));
  media.querySelector(".media-remove").hidden = !value;
  const annotates = media.querySelector(".media-draw:not(.media-enter)");
  if (annotates) annotates.hidden = !value;
  const pick = media.querySelector(".media-pick.media-enter");
  if (!pick) return;
  pick.dataset.first ??= pick.textContent === say("capture.js.media_again") ? "" : pick.textContent;
  pick.textContent = value ? say("capture.js.media_again") : pick.dataset.first || say("capture.js.media_choose");
}

function viewOf(value) {
  if (!value) return made("span", { className: "media-none", textContent: say("capture.js.media_none") });
  if (IMAGES.test(value)) {
    const button = made("button", { type: "button", className: "media-open", tabIndex: -1 });
    button.setAttribute("aria-label", say("capture.js.media_full"));
    button.append(made("img", { src: blob(value, 320), alt: say("capture.js.media_alt"), height: 120 }));
    return button;
  }
  if (SOUNDS.test(value)) return made("audio", { controls: true, preload: "none", src: blob(value) });
  if (FILMS.test(value)) return made("video", { controls: true, preload: "none", height: 160, src: blob(value) });
  const name = value.slice(0, 8) + value.slice(64);
  return made("a", { href: blob(value), download: name, textContent: name, tabIndex: -1 });
}

const made = (tag, what) => Object.assign(document.createElement(tag), what);

function note(media, words, bad = false) {
  const line_ = media.querySelector(".media-note");
  line_.textContent = words;
  line_.classList.toggle("bad", bad);
}

/* Taking files in */

async function keep(ask, files) {
  const media = mediaOf(ask);
  const [file] = files;
  if (!media || !file) return;
  offerPlace(media, null);
  note(media, say("capture.js.media_sending", { name: file.name || "" }));
  media.setAttribute("aria-busy", "true");
  const reply = await upload(ask.dataset.ref, file);
  media.removeAttribute("aria-busy");
  if (!media.isConnected) return; // its row has gone, or has been drawn anew: nothing may land in another one
  if (!reply?.value) return note(media, reply?.problems?.join("；") || say("capture.js.media_failed"), true);
  put(media, reply.value);
  send(ask);
  const many = files.length > 1 ? say("capture.js.media_one", { name: file.name }) : "";
  note(media, [say("capture.js.media_kept", { size: sizeOf(reply.size) }), many].filter(Boolean).join(" "));
  offerPlace(media, reply);
}

async function upload(ref, file) {
  await line.settled(); // the question may have come with a change that is still on its way
  const query = new URLSearchParams({ ...line.key, ref, name: file.name || "drawing.png" });
  try {
    const response = await fetch(`${ADDRESS}?${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", "X-Cunce": "capture" },
      body: file,
    });
    return await response.json();
  } catch {
    return null;
  }
}

// The photo says where it was taken: that may answer the record's question for a place.
function offerPlace(media, reply) {
  const offer = media.querySelector(".media-place");
  const target = reply?.point ? reply.points[0] : null;
  offer.hidden = !target;
  if (!target) return;
  const words = say(target.value ? "capture.js.media_place_replace" : "capture.js.media_place", target);
  const button = made("button", { type: "button", textContent: words });
  button.addEventListener("click", () => {
    const ask = find(target.ref);
    if (!ask) return;
    show(ask, reply.point, reply.point);
    send(ask);
    offer.textContent = say("capture.js.media_placed", target);
    askOf(media).querySelector(".media-enter").focus();
  });
  offer.replaceChildren(button);
}

function remove(ask) {
  const media = mediaOf(ask);
  const had = media?.dataset.value;
  if (!had) return;
  put(media, "");
  send(ask);
  offerPlace(media, null);
  note(media, `${say("capture.js.media_removed")} `);
  const back = made("button", { type: "button", className: "link-button", textContent: say("capture.js.media_undo") });
  back.addEventListener("click", () => {
    put(media, had);
    send(ask);
    note(media, "");
    ask.querySelector(".media-enter").focus();
  });
  media.querySelector(".media-note").append(back);
  ask.querySelector(".media-enter").focus();
}

async function drawn(ask) {
  const { way, value } = mediaOf(ask).dataset;
  const picture = await draw(way, way === "annotate" && value ? blob(value) : "");
  ask.querySelector(".media-enter")?.focus();
  if (picture) keep(ask, [picture]);
}

/* The full picture */

function open(ask) {
  const value = mediaOf(ask)?.dataset.value;
  if (!value || !IMAGES.test(value)) return;
  const dialog = made("dialog", { className: "media-dialog" });
  dialog.setAttribute("aria-label", say("capture.js.media_full"));
  const close = made("button", { type: "button", className: "primary", textContent: say("capture.js.media_close") });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => (dialog.remove(), ask.querySelector(".media-enter")?.focus()));
  dialog.append(made("img", { src: blob(value), alt: say("capture.js.media_alt") }), close);
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

/* Events */

sheet.addEventListener("click", (event) => {
  const ask = askOf(event.target);
  const target = event.target.closest("button");
  if (!target || !mediaOf(ask)) return;
  if (target.matches(".media-pick")) mediaOf(ask).querySelector(".media-file").click();
  else if (target.matches(".media-remove")) remove(ask);
  else if (target.matches(".media-draw")) drawn(ask);
  else if (target.matches(".media-open")) open(ask);
});

sheet.addEventListener("change", (event) => {
  if (!event.target.matches(".media-file")) return;
  const ask = askOf(event.target);
  keep(ask, [...event.target.files]);
  event.target.value = ""; // the same file may be picked again
});

const dropping = (event) => {
  const media = event.target.closest?.(".media");
  return media && [...(event.dataTransfer?.types ?? [])].includes("Files") ? media : null;
};

sheet.addEventListener("dragover", (event) => {
  const media = dropping(event);
  if (!media) return;
  event.preventDefault();
  media.classList.add("over");
});
sheet.addEventListener("dragleave", (event) => event.target.closest?.(".media")?.classList.remove("over"));
sheet.addEventListener("drop", (event) => {
  const media = dropping(event);
  if (!media) return;
  event.preventDefault();
  media.classList.remove("over");
  keep(askOf(media), [...event.dataTransfer.files]);
});
// A file dropped beside a question must not replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

document.addEventListener("paste", (event) => {
  const ask = askOf(document.activeElement);
  const files = [...(event.clipboardData?.files ?? [])];
  if (!mediaOf(ask) || !files.length) return;
  event.preventDefault();
  keep(ask, files);
});

onKey((event, ask) => {
  if (!mediaOf(ask) || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("audio, video")) return false;
  if (event.key === "Delete" || event.key === "Backspace") return remove(ask), true;
  if (event.key === "v") return open(ask), true;
  if (event.key === "Enter" && !event.target.matches(".media-enter")) return event.target.click(), true;
  return false;
});
