// The last minute of both peers as a drawing: their states as bars, events as ticks, and what the
// page sends and receives as curves. `cargo run --example timeline` draws more, from a file.

const NAMESPACE = "http://www.w3.org/2000/svg";
/** Milliseconds that are shown. */
const SHOWN = 60_000;
/** Milliseconds between two samples of the throughput, and between two drawings. */
const SAMPLING = 1000;
const DRAWING = 250;

/** The lanes of a peer, with their names. */
const LANES = {
  signalingState: "signalingState",
  connectionState: "connectionState",
  iceConnectionState: "iceConnectionState",
  iceGatheringState: "iceGatheringState",
  usernameFragment: "ICE generation",
  selectedPair: "selected pair",
};
const PEERS = { page: "This page", rust: "Rust peer" };
const LEFT = 130;
const LANE = 20;
const CURVES = 60;
/** About how wide a letter is. */
const LETTER = 6.2;

/** Draws into an SVG element; `mood` says which class a state has. */
export class Timeline {
  constructor(svg, peer, mood) {
    this.svg = svg;
    this.peer = peer;
    this.mood = mood;
    this.started = performance.now();
    this.lanes = {};
    this.ticks = {};
    for (const side in PEERS) {
      this.lanes[side] = Object.fromEntries(Object.keys(LANES).map(key => [key, []]));
      this.ticks[side] = [];
    }
    this.samples = [];
    peer.addEventListener("state", ({ detail: { side, state } }) => this.#states(side, state));
    peer.addEventListener("event", ({ detail: { side, name, detail } }) => {
      this.ticks[side].push({ at: this.#now(), name, text: `${name} ${detail ?? ""}`.trim() });
    });
    this.sampling = setInterval(() => this.#sample(), SAMPLING);
    this.drawing = setInterval(() => this.#draw(), DRAWING);
  }

  #now() {
    return performance.now() - this.started;
  }

  #states(side, state) {
    for (const [key, value] of Object.entries(state)) {
      const bars = this.lanes[side][key];
      const text = String(value ?? "");
      if (bars && bars.at(-1)?.text !== text) bars.push({ at: this.#now(), text });
    }
  }

  async #sample() {
    if (this.peer.pc.signalingState === "closed") return clearInterval(this.sampling);
    let [sent, received] = [0, 0];
    for (const { type, bytesSent, bytesReceived } of (await this.peer.pc.getStats()).values()) {
      if (type !== "transport") continue;
      sent += bytesSent;
      received += bytesReceived;
    }
    this.samples.push({ at: this.#now(), sent, received });
  }

  /** Drops what is out of sight. The last bar that began earlier is still seen. */
  #forget(begin) {
    for (const side in PEERS) {
      for (const bars of Object.values(this.lanes[side])) {
        while (bars[1]?.at < begin) bars.shift();
      }
      const { [side]: ticks } = this.ticks;
      while (ticks[0]?.at < begin) ticks.shift();
    }
    while (this.samples[1]?.at < begin) this.samples.shift();
  }

  #draw() {
    // Nobody sees a page in the background, and its peer goes on.
    if (document.hidden) return;
    const now = this.#now();
    const begin = Math.max(0, now - SHOWN);
    this.#forget(begin);
    const width = Math.max(320, this.svg.clientWidth);
    const scale = (width - LEFT) / Math.min(SHOWN, Math.max(now, 10_000));
    const x = at => LEFT + (Math.max(at, begin) - begin) * scale;
    const parts = [];
    let y = 0;
    for (const [side, name] of Object.entries(PEERS)) {
      parts.push(text(0, y + 14, name, `peer ${side}`));
      y += LANE;
      for (const [key, label] of Object.entries(LANES)) {
        parts.push(text(0, y + 13, label, "name"));
        this.lanes[side][key].forEach((bar, i, bars) => {
          parts.push(...this.#bar(bar, x(bar.at), x(bars[i + 1]?.at ?? now), y));
        });
        y += LANE;
      }
      parts.push(text(0, y + 13, "events", "name"));
      for (const { at, name, text } of this.ticks[side]) {
        const className = name === "restartIce()" ? "tick restart" : "tick";
        parts.push(titled(line(x(at), x(at), y + 2, y + 15, className), text));
      }
      y += LANE * 1.5;
    }
    parts.push(...this.#curves(x, y, width));
    y += CURVES + LANE;
    parts.push(text(LEFT, y, begin > 0 ? "one minute ago" : "the beginning", "name"));
    parts.push(text(width - 24, y, "now", "name"));
    this.svg.setAttribute("viewBox", `0 0 ${width} ${y + 6}`);
    this.svg.style.height = `${y + 6}px`;
    this.svg.replaceChildren(...parts);
  }

  #bar({ text: value }, left, right, y) {
    if (!value) return [];
    const width = Math.max(1, right - left - 1);
    const className = this.mood(value) || "value";
    const bar = node("rect", { x: left, y: y + 1, width, height: LANE - 4, class: className });
    const letters = Math.floor((width - 8) / LETTER);
    const label = letters < value.length ? `${value.slice(0, letters - 1)}…` : value;
    const fits = label === value || letters > 5;
    return [titled(bar, value), ...(fits ? [text(left + 4, y + 13, label, "on-bar")] : [])];
  }

  /** What the page sends and receives, between one sample and the next. */
  #curves(x, y, width) {
    const rate = (key, before, sample) =>
      Math.max(0, ((sample[key] - before[key]) * 8000) / (sample.at - before.at));
    const rates = key =>
      this.samples.slice(1).map((sample, i) => [sample.at, rate(key, this.samples[i], sample)]);
    const curves = { sent: rates("sent"), received: rates("received") };
    const most = Math.max(1000, ...Object.values(curves).flatMap(c => c.map(([, rate]) => rate)));
    const parts = [
      text(0, y + 10, `${kilobits(most)} kbit/s`, "name"),
      text(0, y + 30, "— sent", "sent"),
      text(0, y + 44, "– – received", "received"),
      line(LEFT, width, y, y, "axis"),
      line(LEFT, width, y + CURVES, y + CURVES, "axis"),
    ];
    for (const [key, points] of Object.entries(curves)) {
      const at = ([at, rate]) =>
        `${x(at).toFixed(1)},${(y + CURVES * (1 - rate / most)).toFixed(1)}`;
      parts.push(node("polyline", { points: points.map(at).join(" "), class: key }));
    }
    return parts;
  }
}

function kilobits(rate) {
  return Math.round(rate / 1000).toLocaleString("en");
}

function node(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function line(x1, x2, y1, y2, className) {
  return node("line", { x1, x2, y1, y2, class: className });
}

function text(x, y, content, className) {
  const made = node("text", { x, y, class: className });
  made.textContent = content;
  return made;
}

/** Shows a text where the pointer rests. */
function titled(made, content) {
  made.append(Object.assign(node("title", {}), { textContent: content }));
  return made;
}
