// The line to the program on this machine: one request at a time, in order, tried again until it answers.
const RETRY = 1000; // ms between tries while the program does not answer
const PATIENCE = 15000; // ms before an unanswered request is tried again; every change may safely be sent twice

export class Line {
  // `key`: what names the draft in every request. `on`: {answer, down, conflict, locked, failed, moved}.
  constructor(url, key, counter, on) {
    Object.assign(this, { url, key, counter, on });
    this.waiting = [];
    this.flying = [];
    this.down = false;
    this.stopped = false;
    this.sleepers = [];
  }

  get busy() {
    return this.waiting.length > 0 || this.flying.length > 0;
  }

  holds(ref) {
    return this.waiting.some((change) => change.ref === ref && change.op === "set");
  }

  push(change) {
    if (this.stopped) return;
    if (change.op === "set") {
      const last = this.waiting.findLastIndex((other) => other.op !== "set");
      this.waiting = this.waiting.filter((other, index) => index <= last || other.ref !== change.ref);
    }
    this.waiting.push(change);
    this.on.moved();
    this.pump();
  }

  async pump() {
    if (this.flying.length || this.stopped) return;
    while (this.waiting.length && !this.stopped) {
      this.flying = this.waiting.splice(0);
      const answer = await this.post(this.url, { changes: this.flying });
      this.flying = [];
      if (answer) {
        this.counter = answer.counter;
        this.on.answer(answer);
      }
      this.on.moved();
    }
    const sleepers = this.sleepers.splice(0);
    sleepers.forEach((wake) => wake());
  }

  // Resolves when everything pushed was answered, or after `limit` ms.
  settled(limit = Infinity) {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.sleepers.push(resolve);
      if (limit !== Infinity) setTimeout(resolve, limit);
    });
  }

  // Posts until the program answers; null when the answer was a refusal (the page has been told).
  async post(url, body) {
    for (;;) {
      let response;
      try {
        response = await this.send(url, body);
        if (response.status === 503) throw new Error("busy");
      } catch {
        this.setDown(true);
        await new Promise((resolve) => setTimeout(resolve, RETRY));
        continue;
      }
      this.setDown(false);
      const answer = await response.json().catch(() => ({}));
      if (response.ok) return answer;
      if (response.status === 409) this.stop(() => this.on.conflict(answer, this.unsent()));
      else if (response.status === 401 || response.status === 403) this.stop(() => this.on.locked());
      else this.on.failed(answer.problems || []);
      return null;
    }
  }

  send(url, body) {
    return fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Cunce": "capture" },
      body: JSON.stringify({ ...this.key, counter: this.counter, ...body }),
      keepalive: true, // a change on its way survives the closing of the page
      signal: AbortSignal.timeout(PATIENCE),
    });
  }

  unsent() {
    return [...this.flying, ...this.waiting];
  }

  stop(tell) {
    this.stopped = true;
    tell();
  }

  setDown(down) {
    if (this.down !== down) {
      this.down = down;
      this.on.down(down);
    }
  }

  // The page is being left: what waits goes out now, in one request that outlives the page.
  flush() {
    if (this.waiting.length && !this.flying.length && !this.stopped) this.pump();
  }
}
