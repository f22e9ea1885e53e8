// The offline map: what the ledgers know of a village, drawn on a canvas, and a pin or a line that people put on it.
import { say } from "./capture_page.js";

const ASPECT = Math.PI / 180;
const METRES = 111_320; // to the degree of latitude
const COLOURS = { house: "#7a7064", place: "#184e98", risk: "#b23c14", group: "#212529", centre: "#212529" };
const CLOSEST = 20; // pixels to the metre
const COARSEST = 0.004;
const WIDEST = 0.0001; // a country on the screen

// Resolves to the points [[lat, lon], …] that were accepted, or null.
export async function pickOnMap({ shape, points, address }) {
  const ground = await fetch(address).then((response) => response.json()).catch(() => ({ boundary: [], marks: [] }));
  return new VillageMap(shape, points, ground).done;
}

class VillageMap {
  constructor(shape, points, ground) {
    Object.assign(this, { ground, single: shape === "geopoint", closed: shape === "geoshape" });
    this.points = (this.single ? points.slice(0, 1) : points).map((each) => [...each]);
    if (this.closed && this.points.length > 2 && `${this.points[0]}` === `${this.points.at(-1)}`) this.points.pop();
    this.build();
    this.done = new Promise((resolve) => (this.resolve = resolve));
    this.dialog.showModal();
    this.resize();
    this.fit();
    this.listen();
    this.paint();
    this.canvas.focus();
  }

  build() {
    this.dialog = element("dialog", { className: "map-dialog" });
    this.dialog.setAttribute("aria-label", say("capture.js.map_title"));
    this.canvas = element("canvas", { className: "map", tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", say("capture.js.map_title"));
    this.told = element("p", { className: "map-told" });
    this.told.setAttribute("role", "status");
    const bare = !this.ground.marks.length && !this.ground.boundary.length;
    const help = bare ? "map_empty" : this.single ? "map_help" : "map_help_line";
    const row = element("div", { className: "map-does" });
    row.append(
      this.button("map_in", () => this.zoom(1.5), "＋"),
      this.button("map_out", () => this.zoom(1 / 1.5), "－"),
      this.button("map_all", () => (this.fit(true), this.paint())),
      ...(this.single ? [] : [this.button("map_undo", () => this.undo())]),
      this.told,
      this.button("map_cancel", () => this.end(null)),
      this.button("map_accept", () => this.accept(), "", "primary"),
    );
    const head = element("h2", { textContent: say("capture.js.map_title") });
    this.dialog.append(head, element("p", { className: "muted small", textContent: say(`capture.js.${help}`) }), this.canvas, row);
    document.body.append(this.dialog);
  }

  button(word, does, mark = "", className = "") {
    const words = say(`capture.js.${word}`);
    const made = element("button", { type: "button", className, textContent: mark || words, title: words });
    made.setAttribute("aria-label", words);
    made.addEventListener("click", () => (does(), this.canvas.focus()));
    return made;
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    this.ratio = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: clientWidth * this.ratio, height: clientHeight * this.ratio });
    Object.assign(this, { width: clientWidth, height: clientHeight });
  }

  // Shows the points there are, near by; else the whole village.
  fit(all = false) {
    const known = [...this.ground.boundary, ...this.ground.marks.map((mark) => mark.at)];
    const shown = all || !this.points.length ? known.concat(this.points) : this.points;
    const [lat, lon] = shown.length ? [middle(shown, 0), middle(shown, 1)] : [35, 105];
    this.centre = [lat, lon];
    const high = spread(shown, 0) * METRES, wide = spread(shown, 1) * METRES * Math.cos(lat * ASPECT);
    const least = shown.length ? 250 : 4_000_000;
    this.scale = Math.min(this.width / Math.max(wide * 1.2, least), this.height / Math.max(high * 1.2, least));
  }

  at([lat, lon]) {
    const east = (lon - this.centre[1]) * METRES * Math.cos(this.centre[0] * ASPECT);
    return [this.width / 2 + east * this.scale, this.height / 2 - (lat - this.centre[0]) * METRES * this.scale];
  }

  place(x, y) {
    const lat = this.centre[0] - (y - this.height / 2) / this.scale / METRES;
    const lon = this.centre[1] + (x - this.width / 2) / this.scale / METRES / Math.cos(this.centre[0] * ASPECT);
    return [Math.max(-89, Math.min(89, lat)), Math.max(-180, Math.min(180, lon))].map((each) => Number(each.toFixed(6)));
  }

  zoom(by, x = this.width / 2, y = this.height / 2) {
    const kept = this.place(x, y);
    this.scale = Math.max(WIDEST, Math.min(CLOSEST, this.scale * by));
    const [nowX, nowY] = this.at(kept);
    this.pan(x - nowX, y - nowY);
  }

  pan(x, y) {
    this.centre = this.place(this.width / 2 - x, this.height / 2 - y);
    this.paint();
  }

  /* Drawing */

  paint() {
    const pen = this.canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.fillStyle = "#fcfcfb";
    pen.fillRect(0, 0, this.width, this.height);
    this.paintGround(pen);
    this.paintPoints(pen);
    this.paintScale(pen);
    this.tell();
  }

  paintGround(pen) {
    const { boundary, marks } = this.ground;
    if (boundary.length) {
      this.trace(pen, boundary, true);
      Object.assign(pen, { fillStyle: "#f6f4e9", strokeStyle: "#805482", lineWidth: 2 });
      pen.fill();
      pen.setLineDash([10, 4]);
      pen.stroke();
      pen.setLineDash([]);
    }
    const close = this.scale > 0.9;
    Object.assign(pen, { font: '12px "Microsoft YaHei", "Noto Sans CJK SC", sans-serif', textBaseline: "middle", textAlign: "left" });
    for (const { kind, name, at } of marks) {
      const [x, y] = this.at(at);
      if (x < -20 || y < -20 || x > this.width + 20 || y > this.height + 20) continue;
      pen.fillStyle = COLOURS[kind];
      pen.beginPath();
      if (kind === "house") pen.rect(x - 3, y - 3, 6, 6);
      else if (kind === "risk") pen.moveTo(x, y - 6), pen.lineTo(x + 6, y + 5), pen.lineTo(x - 6, y + 5);
      else pen.arc(x, y, 4, 0, 7);
      pen.fill();
      if (name && (close || kind === "place" || kind === "group")) this.write(pen, name, x + 8, y);
    }
  }

  write(pen, text, x, y) {
    Object.assign(pen, { strokeStyle: "#fcfcfb", lineWidth: 3 });
    pen.strokeText(text, x, y);
    pen.fillText(text, x, y);
  }

  trace(pen, line, closed) {
    pen.beginPath();
    line.forEach((each, index) => pen[index ? "lineTo" : "moveTo"](...this.at(each)));
    if (closed) pen.closePath();
  }

  paintPoints(pen) {
    if (!this.single) {
      this.trace(pen, this.points, this.closed && this.points.length > 2);
      Object.assign(pen, { strokeStyle: "#0a6e46", lineWidth: 3, fillStyle: "rgba(10,110,70,.12)" });
      if (this.closed) pen.fill();
      pen.stroke();
      for (const point of this.points) this.dot(pen, this.at(point));
      const [x, y] = [this.width / 2, this.height / 2];
      Object.assign(pen, { strokeStyle: "#333", lineWidth: 1 });
      pen.beginPath();
      pen.moveTo(x - 9, y), pen.lineTo(x + 9, y), pen.moveTo(x, y - 9), pen.lineTo(x, y + 9);
      pen.stroke();
    } else if (this.points.length) this.pin(pen, this.at(this.points[0]));
  }

  dot(pen, [x, y]) {
    Object.assign(pen, { fillStyle: "#fff", strokeStyle: "#0a6e46", lineWidth: 2 });
    pen.beginPath();
    pen.arc(x, y, 5, 0, 7);
    pen.fill();
    pen.stroke();
  }

  pin(pen, [x, y]) {
    Object.assign(pen, { fillStyle: "#be1e24", strokeStyle: "#fff", lineWidth: 2 });
    pen.beginPath();
    pen.moveTo(x, y);
    pen.bezierCurveTo(x - 4, y - 10, x - 11, y - 14, x - 11, y - 22);
    pen.arc(x, y - 22, 11, Math.PI, 0);
    pen.bezierCurveTo(x + 11, y - 14, x + 4, y - 10, x, y);
    pen.fill();
    pen.stroke();
    pen.fillStyle = "#fff";
    pen.beginPath();
    pen.arc(x, y - 22, 4, 0, 7);
    pen.fill();
  }

  paintScale(pen) {
    const most = this.width / 5 / this.scale;
    const power = 10 ** Math.floor(Math.log10(most));
    const bar = [5, 2, 1].map((step) => step * power).find((each) => each <= most) ?? power;
    Object.assign(pen, { strokeStyle: "#212529", fillStyle: "#212529", lineWidth: 1.5, textAlign: "center", textBaseline: "bottom" });
    const long = bar * this.scale, y = this.height - 12;
    pen.beginPath();
    pen.moveTo(12, y - 5), pen.lineTo(12, y), pen.lineTo(12 + long, y), pen.lineTo(12 + long, y - 5);
    pen.stroke();
    pen.fillText(bar < 1000 ? `${bar} m` : `${bar / 1000} km`, 12 + long / 2, y - 4);
  }

  tell() {
    const words = [];
    if (this.single && this.points.length) {
      const [lat, lon] = this.points[0];
      words.push(say("capture.js.map_at", { lat, lon }));
      if (this.ground.boundary.length > 2 && !inside([lat, lon], this.ground.boundary)) words.push(say("capture.js.map_outside"));
    } else if (!this.single) words.push(say("capture.js.map_points", { count: this.points.length, metres: Math.round(this.length()) }));
    this.told.textContent = words.join(" ");
  }

  length() {
    const line = this.closed && this.points.length > 2 ? [...this.points, this.points[0]] : this.points;
    return line.slice(1).reduce((sum, to, index) => {
      const from = line[index];
      return sum + Math.hypot((to[0] - from[0]) * METRES, (to[1] - from[1]) * METRES * Math.cos(to[0] * ASPECT));
    }, 0);
  }

  /* Mouse, finger and keys */

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      canvas.focus();
      const [x, y] = [event.offsetX, event.offsetY];
      this.drag = { x, y, moved: false, point: this.near(x, y) };
    });
    canvas.addEventListener("pointermove", (event) => this.dragged(event.offsetX, event.offsetY));
    canvas.addEventListener("pointerup", (event) => {
      if (this.drag && !this.drag.moved && this.drag.point < 0) this.set(this.place(event.offsetX, event.offsetY));
      this.drag = null;
    });
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, event.offsetX, event.offsetY);
    }, { passive: false });
    this.dialog.addEventListener("cancel", (event) => (event.preventDefault(), this.end(null)));
    this.dialog.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the page's own keys are not meant
      if (event.target === canvas && this.key(event)) event.preventDefault();
    });
    this.resized = () => (this.resize(), this.paint());
    addEventListener("resize", this.resized);
  }

  // The point under the mouse, -1 for none; a pin is taken by its head or its tip.
  near(x, y) {
    return this.points.findIndex((point) => {
      const [px, py] = this.at(point);
      return Math.hypot(px - x, py - y) < 11 || (this.single && Math.hypot(px - x, py - 22 - y) < 14);
    });
  }

  dragged(x, y) {
    const { drag } = this;
    if (!drag || (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < 4)) return;
    drag.moved = true;
    if (drag.point >= 0) {
      const [px, py] = this.at(this.points[drag.point]);
      this.points[drag.point] = this.place(px + x - drag.x, py + y - drag.y);
      this.paint();
    } else this.pan(x - drag.x, y - drag.y);
    Object.assign(drag, { x, y });
  }

  set(point) {
    if (this.scale < COARSEST) return; // half a province wide, a click says nothing
    if (this.single) this.points = [point];
    else this.points.push(point);
    this.paint();
  }

  undo() {
    this.points.pop();
    this.paint();
  }

  key({ key, shiftKey, ctrlKey, altKey }) {
    if (altKey) return false;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (key in ways) {
      const [x, y] = ways[key].map((each) => each * (ctrlKey || !this.single ? 60 : shiftKey ? 20 : 2));
      if (ctrlKey || !this.single) return this.pan(-x, -y), true;
      const [px, py] = this.points.length ? this.at(this.points[0]) : [this.width / 2, this.height / 2];
      this.set(this.place(px + x, py + y));
      return this.follow(), true;
    }
    if (key === "+" || key === "=") return this.zoom(1.5), true;
    if (key === "-" || key === "_") return this.zoom(1 / 1.5), true;
    if (key === "Enter") return this.accept(), true;
    if (key === " ") return this.set(this.place(this.width / 2, this.height / 2)), true;
    if (key === "Backspace" || key === "Delete") return this.undo(), true;
    if (key === "Home") return this.fit(true), this.paint(), true;
    return false;
  }

  // Keeps the pin that keys move in sight.
  follow() {
    const [x, y] = this.at(this.points[0]);
    if (x < 30 || y < 40 || x > this.width - 30 || y > this.height - 30) this.pan(this.width / 2 - x, this.height / 2 - y);
  }

  accept() {
    const points = this.closed && this.points.length > 2 ? [...this.points, this.points[0]] : this.points;
    this.end(points);
  }

  end(points) {
    removeEventListener("resize", this.resized);
    this.dialog.close();
    this.dialog.remove();
    this.resolve(points);
  }
}

const element = (tag, what) => Object.assign(document.createElement(tag), what);
const middle = (points, axis) => (Math.min(...points.map((p) => p[axis])) + Math.max(...points.map((p) => p[axis]))) / 2;
const spread = (points, axis) => (points.length ? Math.max(...points.map((p) => p[axis])) - Math.min(...points.map((p) => p[axis])) : 0);

function inside([lat, lon], ring) {
  let found = false;
  ring.forEach(([a, b], index) => {
    const [c, d] = ring[(index + 1) % ring.length];
    if (a > lat !== c > lat && lon < ((d - b) * (lat - a)) / (c - a) + b) found = !found;
  });
  return found;
}
