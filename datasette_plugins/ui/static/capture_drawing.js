// A canvas to sign or draw on, with mouse, pen or finger; `draw` gives the picture, or null where it was given up.
import { say } from "./capture_page.js";

const WIDTH = 900;
const LONGEST = 1600;

export async function draw(way, background) {
  const picture = background ? await loaded(background) : null;
  const shrink = picture ? Math.min(1, LONGEST / Math.max(picture.width, picture.height)) : 1;
  const width = picture ? Math.round(picture.width * shrink) : WIDTH;
  const height = picture ? Math.round(picture.height * shrink) : way === "signature" ? 360 : 560;
  return new Board(way, picture, width, height).done;
}

function loaded(address) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = address;
  });
}

class Board {
  constructor(way, picture, width, height) {
    Object.assign(this, { way, picture });
    this.strokes = [];
    this.canvas = Object.assign(document.createElement("canvas"), { width, height, className: "board" });
    this.canvas.setAttribute("aria-label", say("capture.js.draw_title"));
    this.brush = this.canvas.getContext("2d");
    this.dialog = Object.assign(document.createElement("dialog"), { className: "board-dialog" });
    const title = Object.assign(document.createElement("h2"), { textContent: say("capture.js.draw_title") });
    const row = Object.assign(document.createElement("div"), { className: "board-does" });
    row.append(
      this.button("draw_undo", () => (this.strokes.pop(), this.paint())),
      this.button("draw_clear", () => ((this.strokes = []), this.paint())),
      this.button("draw_cancel", () => this.end(null)),
      this.button("draw_done", () => this.finish(), "primary"),
    );
    this.dialog.append(title, this.canvas, row);
    document.body.append(this.dialog);
    this.done = new Promise((resolve) => (this.resolve = resolve));
    this.dialog.addEventListener("cancel", (event) => (event.preventDefault(), this.end(null)));
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation());
    this.listen();
    this.paint();
    this.dialog.showModal();
  }

  button(word, does, className = "") {
    const made = Object.assign(document.createElement("button"), { type: "button", className, textContent: say(`capture.js.${word}`) });
    made.addEventListener("click", does);
    return made;
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.stroke = [this.at(event)];
      this.strokes.push(this.stroke);
      this.paint();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.stroke) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.stroke.push(...(events.length ? events : [event]).map((each) => this.at(each)));
      this.paint();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.stroke = null));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  paint() {
    const { brush, canvas, picture } = this;
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    if (picture) brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
    Object.assign(brush, { lineWidth: Math.max(3.5, canvas.width / 260), lineCap: "round", lineJoin: "round", strokeStyle: picture ? "#d01616" : "#10151c" });
    for (const stroke of this.strokes) {
      brush.beginPath();
      brush.moveTo(...stroke[0]);
      for (const point of stroke.length > 1 ? stroke.slice(1) : [stroke[0]]) brush.lineTo(...point);
      brush.stroke();
    }
  }

  finish() {
    if (!this.strokes.length) return this.end(null);
    const kind = this.picture ? "jpeg" : "png";
    this.canvas.toBlob((blob) => this.end(new File([blob], `drawing.${kind}`, { type: blob.type })), `image/${kind}`, 0.92);
  }

  end(picture) {
    this.dialog.close();
    this.dialog.remove();
    this.resolve(picture);
  }
}
