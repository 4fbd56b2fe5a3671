// The page's peer: a connection, its signaling over a WebSocket, and its data channels. The
// counterpart is `examples/src/browser/peer.rs`; the WebSocket's messages are in `protocol.rs`.

import { MessageQueue, receiveFile, sendFile } from "./files.js";

/**
 * Dispatches these events, each with a `detail`:
 * - `state`: `{ side, state }`, the states of one side have changed
 * - `event`: `{ side, time, name, detail }`, something happened on one side
 * - `chat`: `{ side, from, text }`, one side has sent or received a text
 * - `file`: `{ from, name, size, progress, done }`, a transfer has begun: `progress(callback)`
 *   calls back with bytes, `done` is a promise of `{ name, blob }` for what has come
 * - `open`, `close`: the chat can be used, or no longer
 *
 * `side` and `from` are `"page"` or `"rust"`.
 */
export class Peer extends EventTarget {
  constructor(url) {
    super();
    this.started = performance.now();
    this.pc = new RTCPeerConnection();
    this.socket = new WebSocket(url);
    this.socket.onopen = () => this.#connect();
    this.socket.onclose = () => {
      this.#log("WebSocket closed", "the Rust program has gone");
      this.close();
    };
  }

  restartIce() {
    this.#log("restartIce()");
    this.pc.restartIce();
  }

  // No event is fired when the page closes its own connection, so this says what has changed.
  close() {
    if (this.pc.signalingState === "closed") return;
    this.#log("close()");
    this.pc.close();
    this.#emit("close");
    this.#showState();
  }

  say(text) {
    this.chat.send(text);
    this.#emit("chat", { side: "page", from: "page", text });
  }

  sendFile(file) {
    const channel = this.pc.createDataChannel("file");
    this.#watchChannel(channel);
    const progress = observable();
    const done = sendFile(channel, file, progress.update);
    this.#emit("file", {
      from: "page",
      name: file.name,
      size: file.size,
      progress: progress.observe,
      done,
    });
    return done;
  }

  /** Has the Rust peer do something: `"restartIce"`, `"close"`, `"sendFile"`, `{ say: text }`. */
  command(command) {
    this.#send({ command });
    if (command.say !== undefined) {
      this.#emit("chat", { side: "rust", from: "rust", text: command.say });
    }
  }

  /** Tells a test how it went, or what has happened so far. */
  report(report) {
    this.#send({ report });
  }

  logToTest(line) {
    this.#send({ log: line });
  }

  #connect() {
    this.started = performance.now();
    this.#watch();
    const signal = this.#negotiate();
    this.socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if ("state" in message) {
        this.#emit("state", { side: "rust", state: message.state });
      } else if ("event" in message) {
        this.#emit("event", { side: "rust", ...message.event });
      } else if ("chat" in message) {
        this.#emit("chat", { side: "rust", from: "page", text: message.chat });
      } else {
        signal(message);
      }
    };
    this.pc.addEventListener("datachannel", ({ channel }) => {
      this.#watchChannel(channel);
      if (channel.label === "file") this.#receiveFile(channel);
    });
    // The first channel makes negotiationneeded fire: from here on everything happens by itself.
    this.chat = this.pc.createDataChannel("chat");
    this.#watchChannel(this.chat);
    this.chat.onopen = () => this.#emit("open");
    this.chat.onmessage = ({ data }) =>
      this.#emit("chat", { side: "page", from: "rust", text: data });
    // When the Rust peer closes its connection, its channels close here, and nothing else tells.
    this.chat.onclose = () => this.close();
  }

  // webrtc-pc §10.7, Perfect Negotiation. This side does not give way: the Rust peer is polite.
  #negotiate() {
    const { pc } = this;
    let makingOffer = false;
    let ignoringOffer = false;
    let applyingAnswer = false;

    pc.onicecandidate = ({ candidate }) => this.#send({ candidate });
    pc.onnegotiationneeded = async () => {
      try {
        makingOffer = true;
        await pc.setLocalDescription();
        this.#send({ description: pc.localDescription });
      } catch (error) {
        this.#log("negotiation failed", String(error));
      } finally {
        makingOffer = false;
      }
    };

    return async ({ description, candidate }) => {
      // Until a candidate fails an answer may have come.
      const ignored = ignoringOffer;
      try {
        if (description) {
          const ready = !makingOffer && (pc.signalingState === "stable" || applyingAnswer);
          ignoringOffer = description.type === "offer" && !ready;
          if (ignoringOffer) return;
          applyingAnswer = description.type === "answer";
          try {
            await pc.setRemoteDescription(description);
          } finally {
            applyingAnswer = false;
          }
          if (description.type === "offer") {
            await pc.setLocalDescription();
            this.#send({ description: pc.localDescription });
          }
        } else {
          await pc.addIceCandidate(candidate);
        }
      } catch (error) {
        // Candidates of an offer that was ignored belong to no description.
        if (description || !ignored) this.#log("negotiation failed", String(error));
      }
    };
  }

  #receiveFile(channel) {
    const progress = observable();
    const queue = new MessageQueue(channel);
    const begun = ({ name, size }) =>
      this.#emit("file", { from: "rust", name, size, progress: progress.observe, done });
    const done = receiveFile(channel, queue, begun, progress.update);
    done.catch(error => this.#log("file not received", error.message));
  }

  // Shows every event, and the states after it.
  #watch() {
    const { pc } = this;
    const watch = (target, type, detail, prefix = "") =>
      target?.addEventListener(type, event => {
        this.#log(prefix + type, detail(event));
        this.#showState();
      });
    watch(pc, "negotiationneeded", () => "");
    watch(pc, "signalingstatechange", () => pc.signalingState);
    watch(pc, "icegatheringstatechange", () => pc.iceGatheringState);
    watch(pc, "iceconnectionstatechange", () => pc.iceConnectionState);
    watch(pc, "connectionstatechange", () => pc.connectionState);
    watch(pc, "datachannel", ({ channel }) => channel.label);
    watch(pc, "icecandidate", ({ candidate }) => (candidate ? candidateText(candidate) : "null"));
    // The transports come with the first description that is applied.
    let watched = false;
    pc.addEventListener("signalingstatechange", () => {
      const dtls = pc.sctp?.transport;
      if (watched || !dtls) return;
      watched = true;
      watch(pc.sctp, "statechange", () => pc.sctp.state, "sctp: ");
      watch(dtls, "statechange", () => dtls.state, "dtls: ");
      const ice = dtls.iceTransport;
      const pair = () => pairText(ice.getSelectedCandidatePair?.());
      watch(ice, "statechange", () => ice.state, "ice: ");
      watch(ice, "gatheringstatechange", () => ice.gatheringState, "ice: ");
      watch(ice, "selectedcandidatepairchange", pair, "ice: ");
    });
    this.#showState();
  }

  #watchChannel(channel) {
    // Not bufferedamountlow: every message may bring one.
    for (const type of ["open", "closing", "close", "error"]) {
      channel.addEventListener(type, () => this.#log(`channel: ${type}`, channel.label));
    }
  }

  async #showState() {
    const { pc } = this;
    const description = pc.currentLocalDescription ?? pc.localDescription;
    const state = {
      signalingState: pc.signalingState,
      iceGatheringState: pc.iceGatheringState,
      iceConnectionState: pc.iceConnectionState,
      connectionState: pc.connectionState,
      usernameFragment: ufragOf(description),
    };
    this.#emit("state", { side: "page", state });
    const selectedPair = pairText(await selectedPairOf(pc));
    this.#emit("state", { side: "page", state: { selectedPair } });
  }

  #log(name, detail = "") {
    const time = performance.now() - this.started;
    this.#emit("event", { side: "page", time, name, detail });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

/** The ufrag of a description: it names the generation of ICE. */
export function ufragOf(description) {
  return /^a=ice-ufrag:(.+)$/m.exec(description?.sdp ?? "")?.[1].trim() ?? null;
}

async function selectedPairOf(pc) {
  if (pc.signalingState === "closed") return null;
  const ice = pc.sctp?.transport?.iceTransport;
  if (ice?.getSelectedCandidatePair) return ice.getSelectedCandidatePair();
  // Not every browser has that method; the statistics know it too.
  const stats = await pc.getStats();
  const all = [...stats.values()];
  const id = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = id
    ? stats.get(id)
    : all.find(({ type, selected }) => type === "candidate-pair" && selected);
  if (!pair) return null;
  const candidate = id => {
    const { candidateType: type, address, port } = stats.get(id) ?? {};
    return { type, address, port };
  };
  return { local: candidate(pair.localCandidateId), remote: candidate(pair.remoteCandidateId) };
}

function pairText(pair) {
  return pair ? `${candidateText(pair.local)} ↔ ${candidateText(pair.remote)}` : null;
}

function candidateText({ candidate, type, address, port }) {
  if (candidate === "") return "end of candidates";
  // Some browsers put IPv6 addresses in brackets, as in a URL, and some do not.
  const host = /^[^[].*:/.test(address ?? "") ? `[${address}]` : address || "hidden";
  return `${type ?? "?"} ${host}:${port ?? "?"}`;
}

// A number of bytes that changes, for one observer.
function observable() {
  let value = 0;
  let callback = () => {};
  return {
    update(next) {
      value = next;
      callback(value);
    },
    observe(next) {
      callback = next;
      callback(value);
    },
  };
}
