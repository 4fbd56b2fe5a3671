// The page's half of the scenarios in `browsers/media`: a connection that is told by the Rust half
// what to do. A command is the body of an async function, which sees everything that is declared
// here; what it returns goes back.

const number = location.pathname.split("/").pop();
const socket = new WebSocket(`ws://${location.host}/scenario/${number}/socket`);
const AsyncFunction = (async () => {}).constructor;

/** The connection of this page; `connect()` makes it. */
let pc;
/** What has happened to it that a scenario may ask for. */
let events = [];
/** Whatever may be kept from one command to another. */
const kept = {};

socket.onmessage = async ({ data }) => {
  const message = JSON.parse(data);
  if ("signal" in message) return kept.signal(message.signal);
  const { run, script, args } = message;
  try {
    const value = await new AsyncFunction("args", script)(args);
    send({ ran: run, value: value ?? null });
  } catch (error) {
    send({ ran: run, error: String(error) });
  }
};
socket.onclose = () => {
  pc?.close();
  parent.finished(number);
};

function send(message) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function connect(configuration) {
  pc = new RTCPeerConnection(configuration);
  events = [];
  pc.ontrack = ({ track, streams, transceiver }) => {
    const ids = streams.map(({ id }) => id);
    events.push(`track ${track.kind} ${transceiver.mid} [${ids.sort()}]`);
    for (const stream of streams) {
      stream.onremovetrack = ({ track }) => events.push(`removetrack ${track.kind} ${stream.id}`);
      stream.onaddtrack = ({ track }) => events.push(`addtrack ${track.kind} ${stream.id}`);
    }
  };
  pc.ondatachannel = ({ channel }) => {
    if (channel.label === "numbers") kept.numbers = new Numbers(channel);
  };
}

/** Takes what has happened so far. */
function taken() {
  return events.splice(0);
}

// Tracks without a device, and without a question to the user.

function audioTrack() {
  kept.audio ??= new AudioContext();
  return kept.audio.createMediaStreamDestination().stream.getAudioTracks()[0];
}

function videoTrack() {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 1, 1);
  return canvas.captureStream(5).getVideoTracks()[0];
}

function trackOf(kind) {
  return kind === "audio" ? audioTrack() : videoTrack();
}

// Descriptions, with all candidates in them.

async function gathered() {
  // There is nothing to gather for, if all sections are rejected.
  if (!/^m=\S+ [1-9]/m.test(pc.localDescription.sdp)) return pc.localDescription;
  // Gathering that an ICE restart begins shows a little later.
  const late = performance.now() + 1000;
  while (!pc.localDescription.sdp.includes("a=candidate:") && performance.now() < late) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  await become(pc, "iceGatheringState", "complete");
  return pc.localDescription;
}

async function offer(options) {
  await pc.setLocalDescription(options ? await pc.createOffer(options) : undefined);
  return gathered();
}

async function answer(description) {
  await pc.setRemoteDescription(description);
  await pc.setLocalDescription();
  return gathered();
}

function connected() {
  return become(pc, "connectionState", "connected");
}

/** Waits until an attribute has this value. */
async function become(target, attribute, value) {
  const late = AbortSignal.timeout(20_000);
  const event = `${attribute.toLowerCase()}change`;
  while (target[attribute] !== value) {
    await new Promise((resolve, reject) => {
      target.addEventListener(event, resolve, { once: true });
      late.onabort = () => reject(new Error(`${attribute} is ${target[attribute]} after 20 s`));
    });
  }
}

function transceivers() {
  return pc.getTransceivers().map(transceiver => {
    const { mid, direction, currentDirection, sender, receiver } = transceiver;
    return {
      mid,
      kind: receiver.track.kind,
      direction,
      currentDirection,
      codecs: sender.getParameters().codecs ?? null,
      bundled: pc.sctp ? sender.transport === pc.sctp.transport : null,
    };
  });
}

function transceiver(mid) {
  return pc.getTransceivers().find(transceiver => transceiver.mid === mid);
}

/** Numbers sent on a channel, and the peer's, which have to come in order and without a gap. */
class Numbers {
  sent = 0;
  received = 0;
  error = null;

  constructor(channel) {
    this.channel = channel;
    channel.onmessage = ({ data }) => {
      if (data !== String(this.received)) this.error ??= `${data} after ${this.received} numbers`;
      this.received++;
      this.arrived?.();
    };
    channel.onclose = () => (this.error ??= "the channel was closed");
    channel.onerror = ({ error }) => (this.error ??= String(error));
    if (channel.readyState === "open") this.#start();
    else channel.onopen = () => this.#start();
  }

  #start() {
    this.timer = setInterval(() => this.channel.send(String(this.sent++)), 5);
  }

  /** Sends no more. */
  stop() {
    clearInterval(this.timer);
    return this.sent;
  }

  /** Resolves when as many have come. */
  async count(expected) {
    while (this.received < expected && !this.error) {
      await new Promise(resolve => (this.arrived = resolve));
    }
    if (this.error) throw new Error(this.error);
    return this.received;
  }
}

// webrtc-pc §10.7, Perfect Negotiation.
function negotiatePerfectly(polite) {
  let makingOffer = false;
  let ignoringOffer = false;
  let applyingAnswer = false;
  kept.glares = 0;
  kept.offers = 0;

  pc.onicecandidate = ({ candidate }) => send({ signal: { candidate } });
  pc.onnegotiationneeded = async () => {
    try {
      makingOffer = true;
      await pc.setLocalDescription();
      kept.offers++;
      send({ signal: { description: pc.localDescription } });
    } catch (error) {
      events.push(`offering: ${error}`);
    } finally {
      makingOffer = false;
    }
  };
  kept.signal = async ({ description, candidate }) => {
    // Until a candidate fails an answer may have come.
    const ignored = ignoringOffer;
    try {
      if (!description) return await pc.addIceCandidate(candidate);
      const ready = !makingOffer && (pc.signalingState === "stable" || applyingAnswer);
      const collision = description.type === "offer" && !ready;
      if (collision) kept.glares++;
      ignoringOffer = !polite && collision;
      if (ignoringOffer) return;
      applyingAnswer = description.type === "answer";
      try {
        await pc.setRemoteDescription(description);
      } finally {
        applyingAnswer = false;
      }
      if (description.type === "offer") {
        await pc.setLocalDescription();
        send({ signal: { description: pc.localDescription } });
      }
    } catch (error) {
      if (description || !ignored) events.push(`${description?.type}: ${error}`);
    }
  };
}
