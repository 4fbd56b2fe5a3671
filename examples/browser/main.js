// What the page shows: the states, chats, files and events of both peers.

import { autotest } from "./autotest.js";
import { Peer } from "./peer.js";
import { Timeline } from "./timeline.js";

const STATES = {
  connectionState: "connectionState",
  iceConnectionState: "iceConnectionState",
  iceGatheringState: "iceGatheringState",
  signalingState: "signalingState",
  usernameFragment: "ICE generation",
  selectedPair: "selected pair",
};
const MOODS = {
  good: ["connected", "completed", "complete", "stable"],
  busy: [
    "new",
    "connecting",
    "checking",
    "gathering",
    "disconnected",
    "have-local-offer",
    "have-remote-offer",
  ],
  bad: ["failed", "closed"],
};
/** Rows of the event log; older ones go. */
const MAX_EVENTS = 1000;

const sides = { page: document.querySelector("#page"), rust: document.querySelector("#rust") };
const names = { page: "Page", rust: "Rust" };
const banner = document.querySelector("#banner");

const url = new URL("signaling", location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const peer = new Peer(url);

const cells = { page: {}, rust: {} };
for (const [side, section] of Object.entries(sides)) {
  for (const [key, label] of Object.entries(STATES)) {
    const term = document.createElement("dt");
    term.textContent = label;
    const value = document.createElement("dd");
    section.querySelector(".states").append(term, value);
    cells[side][key] = value;
  }
}

peer.addEventListener("state", ({ detail: { side, state } }) => {
  for (const [key, value] of Object.entries(state)) {
    const cell = cells[side][key];
    const text = String(value ?? "–");
    if (!cell || cell.textContent === text) continue;
    cell.textContent = text;
    cell.className = moodOf(text);
    // Starts the animation again, if it is still running.
    void cell.offsetWidth;
    cell.classList.add("changed");
  }
  if (state.connectionState === "closed") enable(side, false);
  showBanner();
});

function moodOf(state) {
  return Object.keys(MOODS).find(mood => MOODS[mood].includes(state)) ?? "";
}

new Timeline(document.querySelector("#timeline"), peer, moodOf);

peer.addEventListener("open", () => {
  enable("page", true);
  enable("rust", true);
});

peer.addEventListener("close", () => enable("page", false));

function enable(side, enabled) {
  for (const control of sides[side].querySelectorAll("button, input")) {
    control.disabled = !enabled;
  }
}

// Without a network a browser gathers no candidates, not even on the loopback interface.
let hint = "Connecting…";
const noCandidates = setTimeout(() => {
  hint =
    "This browser finds no network interface to connect from. Chromium can do without one if it " +
    "is started with --allow-loopback-in-peer-connection " +
    "--disable-features=WebRtcHideLocalIpsWithMdns.";
  showBanner();
}, 5000);
peer.pc.addEventListener("icecandidate", () => clearTimeout(noCandidates));

function showBanner() {
  const [page, rust] = ["page", "rust"].map(side => cells[side].connectionState.textContent);
  const closed =
    page === "closed" && (rust === "closed" || peer.socket.readyState > WebSocket.OPEN);
  const kind = closed ? "closed" : page === "connected" && rust === "connected" ? "connected" : "";
  const waiting =
    page === "failed" || rust === "failed" ? "Failed. An ICE restart may help." : hint;
  const text = { closed: "Closed.", connected: "Connected." }[kind] ?? waiting;
  if (banner.dataset.text === text) return;
  banner.dataset.text = text;
  banner.className = `banner ${kind}`;
  banner.textContent = text;
  if (closed) {
    const again = document.createElement("button");
    again.className = "primary";
    again.textContent = "Connect again";
    again.onclick = () => location.reload();
    banner.append(" ", again);
  }
}

// Buttons and fields: those of the page use its peer, those of Rust tell the Rust peer.

const actions = {
  page: {
    restartIce: () => peer.restartIce(),
    close: () => peer.close(),
    say: text => peer.say(text),
  },
  rust: {
    restartIce: () => peer.command("restartIce"),
    close: () => peer.command("close"),
    sendFile: () => peer.command("sendFile"),
    say: text => peer.command({ say: text }),
  },
};
for (const [side, section] of Object.entries(sides)) {
  for (const button of section.querySelectorAll("[data-action]")) {
    button.onclick = actions[side][button.dataset.action];
  }
  section.querySelector(".say").onsubmit = event => {
    event.preventDefault();
    const { text } = event.target.elements;
    actions[side].say(text.value);
    text.value = "";
  };
}
document.querySelector("#page-file").onchange = ({ target }) => {
  // The list of files shows how it ends.
  for (const file of target.files) peer.sendFile(file).catch(() => {});
  target.value = "";
};

peer.addEventListener("chat", ({ detail: { side, from, text } }) => {
  const line = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = `${names[from]}:`;
  line.className = from;
  line.append(name, text);
  append(sides[side].querySelector(".chat"), line);
});

peer.addEventListener("file", ({ detail: { from, name, size, progress, done } }) => {
  const line = document.createElement("li");
  const label = document.createElement("span");
  const note = document.createElement("span");
  const bar = document.createElement("progress");
  label.textContent = name;
  note.className = "note";
  bar.max = Math.max(1, size);
  bar.ariaLabel = `${name}, ${from === "page" ? "to Rust" : "from Rust"}`;
  line.append(label, note, bar);
  document.querySelector(from === "page" ? "#sent" : "#received").append(line);
  progress(bytes => {
    bar.value = bytes;
    note.textContent = `${megabytes(bytes)} of ${megabytes(size)} MB`;
  });
  done.then(
    ({ blob }) => {
      bar.value = bar.max;
      note.textContent = `${megabytes(size)} MB, checksum verified`;
      if (blob) label.replaceWith(saveLink(name, blob));
    },
    error => {
      note.textContent = error.message;
      bar.remove();
    },
  );
});

function saveLink(name, blob) {
  const link = document.createElement("a");
  link.className = "save";
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.textContent = `Save ${name}`;
  return link;
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

const events = document.querySelector("#events");
const scroll = document.querySelector(".scroll");
peer.addEventListener("event", ({ detail: { side, time, name, detail } }) => {
  const row = document.createElement("tr");
  const cell = className => Object.assign(document.createElement("td"), { className });
  const [when, page, rust] = [cell(""), cell("page"), cell("rust")];
  when.textContent = `${(time / 1000).toFixed(3)} s`;
  const strong = document.createElement("b");
  strong.textContent = name;
  (side === "page" ? page : rust).append(strong, " ", detail ?? "");
  row.append(when, page, rust);
  append(events, row, scroll);
  while (events.rows.length > MAX_EVENTS) events.deleteRow(0);
});

// Appends, and follows if the end was in view.
function append(list, item, scrolled = list) {
  const atEnd = scrolled.scrollHeight - scrolled.scrollTop - scrolled.clientHeight < 40;
  list.append(item);
  if (atEnd) scrolled.scrollTop = scrolled.scrollHeight;
}

// The tests load the page with the name of a scenario.
const scenario = new URLSearchParams(location.search).get("autotest");
if (scenario) autotest(scenario, peer);
