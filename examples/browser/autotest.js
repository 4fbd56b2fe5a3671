// The page's half of the automatic tests in `tests/tests/browsers.rs`, which has the other half.
// `?autotest=NAME` runs one; how it went is told over the WebSocket.

import { MessageQueue, opened } from "./files.js";
import { ufragOf } from "./peer.js";

/** Messages each side sends in the restart scenarios, and how many a second. */
const NUMBERS = 1000;
const RATE = 200;
/** After how many the restart is asked. */
const RESTART_AT = 300;

export async function autotest(name, peer) {
  const log = text => peer.logToTest(text);
  window.addEventListener("error", ({ message }) => log(`error: ${message}`));
  peer.addEventListener("event", ({ detail: { side, time, name, detail } }) =>
    log(`${(time / 1000).toFixed(3)} ${side} ${name} ${detail ?? ""}`),
  );
  try {
    await new Promise((resolve, reject) => {
      peer.addEventListener("open", resolve, { once: true });
      peer.addEventListener("close", () => reject(new Error("closed before it was open")), {
        once: true,
      });
    });
    const scenario = scenarios[name];
    if (!scenario) throw new Error(`there is no scenario ${name}`);
    const result = await scenario(peer);
    peer.report({ ok: true, ...result });
  } catch (error) {
    peer.report({ ok: false, error: String(error), stack: error.stack });
  }
}

const scenarios = {
  // Every kind of message, both ways.
  async data(peer) {
    const channel = peer.pc.createDataChannel("test");
    const messages = new MessageQueue(channel);
    await opened(channel);
    for (const message of samples("page")) channel.send(message);
    for (const expected of samples("rust")) {
      const message = await messages.next();
      check(same(message, expected), `expected ${outline(expected)}, got ${outline(message)}`);
    }
    return { maxMessageSize: peer.pc.sctp.maxMessageSize };
  },

  // A file each way, at the same time.
  async files(peer) {
    const fromRust = new Promise(resolve =>
      peer.addEventListener("file", ({ detail }) => {
        if (detail.from === "rust") resolve(detail);
      }),
    );
    let received = 0;
    const receiving = fromRust.then(file => {
      file.progress(bytes => (received = bytes));
      return file.done;
    });
    peer.command("sendFile");
    const file = new File([pattern(3_000_001, 5)], "from-page.bin");
    const [, { name, blob }] = await Promise.all([peer.sendFile(file), receiving]);
    check(received === blob.size, `progress ended at ${received} of ${blob.size}`);
    const lines = (await blob.text()).split("\n");
    check(lines.pop() === "", "the last line has no end");
    const wrong = lines.findIndex((line, i) => line !== `line ${i + 1} from the Rust peer`);
    check(wrong < 0, `line ${wrong + 1} is ${lines[wrong]}`);
    return { name, size: blob.size };
  },

  // This side asks for a restart while numbers flow both ways.
  "restart-by-page": peer => numbersAndRestart(peer, () => peer.restartIce()),

  // The Rust side does.
  "restart-by-rust": peer => numbersAndRestart(peer, () => {}),

  async "close-by-page"(peer) {
    const chat = new MessageQueue(peer.chat);
    check((await chat.next()) === "close now", "an unexpected message");
    peer.close();
    return { connectionState: peer.pc.connectionState };
  },

  async "close-by-rust"(peer) {
    // Says that the chat is open here; before that, its close would be no scenario.
    peer.pc.createDataChannel("ready");
    await new Promise(resolve => peer.chat.addEventListener("close", resolve));
    // peer.js closes its connection in turn.
    await new Promise(resolve => setTimeout(resolve));
    return { chat: peer.chat.readyState, connectionState: peer.pc.connectionState };
  },
};

async function numbersAndRestart(peer, restart) {
  const { pc } = peer;
  const channel = pc.createDataChannel("numbers");
  const messages = new MessageQueue(channel);
  await opened(channel);
  const dtls = pc.sctp.transport;
  const pairChanges = count(dtls.iceTransport, "selectedcandidatepairchange");
  const dtlsChanges = count(dtls, "statechange");
  const before = snapshot(pc);

  const sending = sendNumbers(channel);
  let longestGap = 0;
  let last = performance.now();
  for (let expected = 0; expected < NUMBERS; expected++) {
    const message = await messages.next();
    check(message === String(expected), `expected ${expected}, got ${message}`);
    const now = performance.now();
    if (expected > 0) longestGap = Math.max(longestGap, now - last);
    last = now;
    if (expected === RESTART_AT) restart();
  }
  await sending;

  const after = snapshot(pc);
  check(after.local !== before.local, "the page's ufrag is the same as before");
  check(after.remote !== before.remote, "Rust's ufrag is the same as before");
  check(pc.signalingState === "stable", `signalingState is ${pc.signalingState}`);
  check(pc.sctp.transport === dtls, "the DTLS transport is another");
  check(same(after.certificate, before.certificate), "the peer's certificate is another");
  check(dtlsChanges() === 0, "the DTLS transport has changed its state");
  // Not every browser has that event. How long it takes to leave a path that works is the browser's
  // matter.
  if ("onselectedcandidatepairchange" in dtls.iceTransport && pairChanges() === 0) {
    await new Promise(resolve => {
      dtls.iceTransport.addEventListener("selectedcandidatepairchange", resolve, { once: true });
    });
  }
  // The drawing follows within a moment, and shows both generations.
  const drawn = () => [...document.querySelectorAll("#timeline title")].map(t => t.textContent);
  while (![before, after].every(({ local }) => drawn().includes(local))) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return { longestGap: Math.round(longestGap), ...after, certificate: undefined };
}

async function sendNumbers(channel) {
  const start = performance.now();
  for (let next = 0; next < NUMBERS; ) {
    await new Promise(resolve => setTimeout(resolve, 1000 / RATE));
    // A timer that was late is made up for.
    const due = Math.min(NUMBERS, ((performance.now() - start) * RATE) / 1000);
    while (next < due) channel.send(String(next++));
  }
}

function snapshot(pc) {
  return {
    local: ufragOf(pc.currentLocalDescription),
    remote: ufragOf(pc.currentRemoteDescription),
    certificate: pc.sctp.transport.getRemoteCertificates()[0],
  };
}

function count(target, type) {
  let times = 0;
  target.addEventListener(type, () => times++);
  return () => times;
}

/** What each side sends in the scenario `data`. */
function samples(side) {
  const seed = side === "page" ? 1 : 2;
  return [
    "",
    `hello from ${side}`,
    "Grüße, 世界 🎉",
    new ArrayBuffer(0),
    pattern(1, seed).buffer,
    pattern(1200, seed).buffer,
    pattern(65536, seed).buffer,
    pattern(262144, seed).buffer,
    side.repeat(65536),
    "end",
  ];
}

/** Octets that repeat nowhere near. */
function pattern(length, seed) {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

function same(a, b) {
  if (typeof a === "string" || typeof b === "string") return a === b;
  const [x, y] = [new Uint8Array(a), new Uint8Array(b)];
  return x.length === y.length && x.every((octet, i) => octet === y[i]);
}

function outline(message) {
  return typeof message === "string"
    ? `text of ${message.length}: ${message.slice(0, 40)}`
    : `${message.byteLength} octets`;
}

function check(condition, message) {
  if (!condition) throw new Error(message);
}
