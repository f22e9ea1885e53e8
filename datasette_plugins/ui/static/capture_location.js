// Questions for a place: typed or pasted coordinates, links of phone maps, or a point on the offline map.
import { register } from "./capture_controls.js";
import { line, send } from "./capture_draft.js";
import { onKey } from "./capture_keys.js";
import { pickOnMap } from "./capture_map.js";
import { askOf, page, say, sheet } from "./capture_page.js";

const ADDRESS = page.dataset.send.replace(/change$/, "");
const PLAIN = /^\s*-?\d+(\.\d+)?([\s,，]+-?\d+(\.\d+)?){1,3}\s*$/;
const DATUMS = ["wgs84", "gcj02", "bd09"];

const placeOf = (ask) => ask?.querySelector(".place") ?? null;
const box = (ask) => ask.querySelector(".place input, .place textarea");

for (const kind of ["point", "line"])
  register(kind, {
    read: (ask) => box(ask)?.value ?? "",
    show(ask, value) {
      const input = box(ask);
      if (input && input.value !== value) input.value = value;
    },
    entry: box,
    settle: async (ask) => (await settle(ask), "taken"),
  });

// What was typed and is no plain pair of numbers is read by the program: degrees and minutes, links.
async function settle(ask) {
  const text = box(ask)?.value.trim() ?? "";
  if (ask.dataset.kind === "point" && text && !PLAIN.test(text)) await read(ask, text);
}

async function read(ask, text, datum = "") {
  const query = new URLSearchParams({ text, datum });
  const reply = await fetch(`${ADDRESS}place?${query}`).then((response) => response.json()).catch(() => null);
  const note = placeOf(ask)?.querySelector(".place-note");
  if (!note) return false;
  note.classList.toggle("bad", !reply || Boolean(reply.problems));
  if (!reply || reply.problems) {
    note.textContent = reply?.problems?.join("；") ?? "";
    return false;
  }
  box(ask).value = `${reply.lat} ${reply.lon}`;
  send(ask);
  explain(ask, note, text, reply);
  return true;
}

function explain(ask, note, text, { datum, sure }) {
  const name = say(`capture.js.place_${datum}`);
  const words = !sure ? "place_assumed" : datum === "wgs84" ? "place_plain" : "place_read";
  note.textContent = `${say(`capture.js.${words}`, { datum: name })} `;
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", say("capture.js.place_datum"));
  choice.tabIndex = -1;
  choice.append(...DATUMS.map((each) => new Option(say(`capture.js.place_${each}`), each, false, each === datum)));
  choice.addEventListener("change", () => read(ask, text, choice.value));
  note.append(choice);
}

async function map(ask) {
  const shape = placeOf(ask).dataset.shape;
  await line.settled();
  const village = line.key.village || villageAnswer();
  const points = await pickOnMap({
    shape, points: pointsIn(box(ask).value), address: `${ADDRESS}ground?${new URLSearchParams({ village })}`,
  });
  box(ask).focus();
  if (!points) return;
  box(ask).value = shape === "geopoint" ? (points[0] ?? []).join(" ") : points.map(([lat, lon]) => `${lat} ${lon} 0 0`).join(";");
  placeOf(ask).querySelector(".place-note").textContent = "";
  send(ask);
}

// The village the record belongs to, where the form asks for it: forms name that question so.
function villageAnswer() {
  const ask = sheet.querySelector('.ask[data-ref$="/village"]');
  return ask?.querySelector("[data-value]")?.dataset.value ?? ask?.querySelector("input:checked")?.value ?? "";
}

function pointsIn(text) {
  const pairs = text.split(";").map((each) => each.trim().split(/[\s,，]+/).map(Number));
  return pairs.filter(([lat, lon]) => Number.isFinite(lat) && Number.isFinite(lon)).map(([lat, lon]) => [lat, lon]);
}

sheet.addEventListener("click", (event) => {
  if (event.target.closest(".place-map")) map(askOf(event.target));
});

sheet.addEventListener("paste", (event) => {
  const ask = askOf(event.target);
  if (!placeOf(ask) || ask.dataset.kind !== "point") return;
  const text = event.clipboardData?.getData("text") ?? "";
  if (!text.trim()) return;
  event.preventDefault();
  const before = box(ask).value;
  box(ask).value = text.trim().slice(0, 300);
  read(ask, text).then((fine) => {
    if (!fine && before) box(ask).value = before;
  });
});

// Whoever leaves with the mouse has typed all the same.
sheet.addEventListener("focusout", (event) => {
  const ask = askOf(event.target);
  if (placeOf(ask) && event.target === box(ask)) settle(ask);
});

onKey((event, ask) => {
  if (!placeOf(ask) || !event.altKey || event.code !== "KeyM") return false;
  map(ask);
  return true;
});
