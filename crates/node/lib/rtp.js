"use strict";

// Packets of RTP, beyond the W3C interfaces: `readPackets()`, `requestKeyFrame()`, `TrackSource`.

const { NativePackets, NativeTrackSource } = require("./native.js");
const {
  isObject,
  boolean,
  DOMString,
  callback,
  defaulting,
  dictionary,
  enumeration,
  integer,
  interfaceType,
  needArguments,
  nullable,
  required,
} = require("./webidl.js");
const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { report } = require("./event_target.js");
const { MediaStreamTrack, isTrack, nativeTrack, trackOf } = require("./media_stream_track.js");

const track = interfaceType(MediaStreamTrack.name, isTrack);

let isPacket;
let nativePacket;

class RtpPacket {
  #native;
  #payload;

  constructor(token = undefined, native) {
    onlyInternal(token);
    this.#native = native;
  }

  // Copied when somebody asks for it: most packets are forwarded, or only looked at.
  get payload() {
    return (this.#payload ??= this.#native.payload());
  }
  get timestamp() {
    return this.#native.timestamp();
  }
  get sequenceNumber() {
    return this.#native.sequenceNumber();
  }
  get marker() {
    return this.#native.marker();
  }
  get payloadType() {
    return this.#native.payloadType();
  }
  get ssrc() {
    return this.#native.ssrc();
  }
  get rid() {
    return this.#native.rid();
  }
  get mimeType() {
    return this.#native.mimeType();
  }
  get clockRate() {
    return this.#native.clockRate();
  }

  static {
    isPacket = value => #native in value;
    nativePacket = packet => packet.#native;
  }
}
defineInterface(RtpPacket);

// `NativePackets.id` -> the reader. One that waits is kept: nobody else may hold it.
const waiting = new Map();

// Hooks of the addon: there is something to read, or the end; a source needs a key frame.
let readable;
let keyFrameRequested;

class RtpPackets {
  #native;
  #track;
  #pending = [];
  #dropped = 0;

  constructor(token = undefined, track) {
    onlyInternal(token);
    // A track that nobody else holds goes on, too.
    this.#track = track;
    this.#native = new NativePackets(nativeTrack(track));
  }

  get dropped() {
    return (this.#dropped += this.#native.takeDropped());
  }

  next() {
    return new Promise(resolve => {
      this.#pending.push(resolve);
      if (this.#pending.length === 1) this.#read();
    });
  }

  #read() {
    const native = this.#native;
    while (this.#pending.length > 0) {
      const packet = native.read();
      if (packet === null) {
        if (!native.hasEnded()) return void waiting.set(native.id, this);
        break;
      }
      this.#pending.shift()({ value: new RtpPacket(internal, packet), done: false });
    }
    waiting.delete(native.id);
    if (native.hasEnded()) this.#end();
  }

  #end() {
    this.#track = null;
    for (const resolve of this.#pending.splice(0)) resolve({ value: undefined, done: true });
  }

  async return(value) {
    this.#dropped += this.#native.takeDropped();
    this.#native.close();
    waiting.delete(this.#native.id);
    this.#end();
    return { value, done: true };
  }

  [Symbol.asyncIterator]() {
    void this.#native;
    return this;
  }

  static {
    readable = id => waiting.get(id)?.#read();
  }
}
defineInterface(RtpPackets);

function readPackets(from) {
  needArguments(arguments, 1, "readPackets");
  return new RtpPackets(internal, track(from, "track"));
}

function requestKeyFrame(of) {
  needArguments(arguments, 1, "requestKeyFrame");
  nativeTrack(track(of, "track")).requestKeyFrame();
}

function octets(value, what) {
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`${what} is neither an ArrayBuffer nor a view of one`);
}

const MediaKind = enumeration("kind", "audio", "video");
const RtpPacketInit = dictionary("RtpPacketInit", {
  marker: defaulting(boolean, false),
  mimeType: required(DOMString),
  payload: required(octets),
  rid: defaulting(nullable(DOMString), null),
  sdpFmtpLine: defaulting(nullable(DOMString), null),
  sequenceNumber: required(integer(16)),
  timestamp: required(integer(32)),
});
const handler = nullable(callback);

// `NativeTrackSource.id` -> WeakRef of the source
const sources = new Map();
const collected = new FinalizationRegistry(id => sources.delete(id));

class TrackSource {
  #native;
  #track;
  #onkeyframerequest = null;

  constructor(kind) {
    needArguments(arguments, 1, "TrackSource");
    this.#native = new NativeTrackSource(MediaKind(kind, "kind"));
    this.#track = trackOf(this.#native.track());
    sources.set(this.#native.id, new WeakRef(this));
    collected.register(this, this.#native.id);
  }

  get track() {
    return this.#track;
  }

  send(packet) {
    const native = this.#native;
    needArguments(arguments, 1, "send");
    if (isObject(packet) && isPacket(packet)) return native.forward(nativePacket(packet));
    const { mimeType, sdpFmtpLine, rid, sequenceNumber, timestamp, marker, payload } =
      RtpPacketInit(packet, "packet");
    native.send(mimeType, sdpFmtpLine, rid, sequenceNumber, timestamp, marker, payload);
  }

  get onkeyframerequest() {
    return this.#onkeyframerequest;
  }
  set onkeyframerequest(value) {
    this.#onkeyframerequest = handler(value, "onkeyframerequest");
    this.#native.setListening(this.#onkeyframerequest !== null);
  }

  static {
    keyFrameRequested = (id, rid) => {
      const source = sources.get(id)?.deref();
      try {
        source?.#onkeyframerequest?.({ rid });
      } catch (error) {
        report(error);
      }
    };
  }
}
defineInterface(TrackSource);

module.exports = {
  RtpPacket,
  RtpPackets,
  TrackSource,
  readPackets,
  requestKeyFrame,
  readable,
  keyFrameRequested,
};
