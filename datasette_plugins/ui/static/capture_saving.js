// Saving, throwing away, and leaving the page without losing anything.
import { answer } from "./capture_patch.js";
import { commitAll, line, now } from "./capture_draft.js";
import { enter } from "./capture_moves.js";
import { by, page, say, state } from "./capture_page.js";
import { failed, showKept, showWrongs, wrong } from "./capture_status.js";

let saving = false;

export async function save() {
  if (saving || state.leaving || line.stopped) return;
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
    state.leaving = true;
    location.assign(reply.saved);
    return;
  }
  showMissing(reply);
}

function showMissing(reply) {
  line.counter = reply.counter;
  state.tried = true;
  now.typing = "";
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
  state.leaving = true;
  location.assign(page.dataset.home);
}

by("save").addEventListener("click", save);
by("discard")?.addEventListener("click", discard);
by("form-language")?.addEventListener("change", async (event) => {
  await line.settled();
  const target = new URL(location.href);
  target.searchParams.set("language", event.target.value);
  state.leaving = true;
  location.assign(target);
});

addEventListener("pagehide", () => (commitAll(), line.flush()));
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && commitAll());
addEventListener("beforeunload", (event) => {
  if (state.leaving) return;
  commitAll();
  if (line.busy && line.down) event.preventDefault();
});
addEventListener("pageshow", (event) => event.persisted && location.reload()); // what "back" shows may be old
