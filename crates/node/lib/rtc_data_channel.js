"use strict";

// webrtc-pc §6.2 RTCDataChannel

const {
  types: { isArrayBuffer },
} = require("node:util");
const { integer, enumeration, needArguments } = require("./webidl.js");
const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { defineEventTarget, fire } = require("./event_target.js");
const { Message } = require("./message_event.js");
const { BlobQueue } = require("./blob_queue.js");

const enforcedLong = integer(32, { mode: "enforce range" });
const BinaryType = enumeration("BinaryType", "blob", "arraybuffer");

let isDataChannel;
let fireMessage;

class RTCDataChannel extends EventTarget {
  #native;
  // A channel keeps its connection alive.
  #connection;
  #binaryType = "arraybuffer";
  // The queue behind a Blob that is being read; null if none is.
  #waiting = null;
  // The addon's function; made when it is first needed.
  #sendBinary = null;
  // `bufferedAmount` as of `#step` of the connection. Only `send()` raises it and only tasks lower
  // it, so within a step the addon need not be asked again.
  #amount = 0;
  #step = -1;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    super();
    this.#native = native;
    this.#connection = connection;
  }

  get label() {
    return this.#native.label();
  }
  get ordered() {
    return this.#native.ordered();
  }
  get maxPacketLifeTime() {
    return this.#native.maxPacketLifeTime();
  }
  get maxRetransmits() {
    return this.#native.maxRetransmits();
  }
  get protocol() {
    return this.#native.protocol();
  }
  get negotiated() {
    return this.#native.negotiated();
  }
  get priority() {
    return this.#native.priority();
  }
  get id() {
    return this.#native.id();
  }

  get readyState() {
    const state = this.#native.readyState();
    return this.#waiting !== null && this.#waiting.closing && state === "open" ? "closing" : state;
  }

  get bufferedAmount() {
    const native = this.#native;
    if (this.#waiting !== null) return native.bufferedAmount() + this.#waiting.size;
    const { step } = this.#connection;
    if (this.#step !== step) {
      this.#amount = native.bufferedAmount();
      this.#step = step;
    }
    return this.#amount;
  }

  get bufferedAmountLowThreshold() {
    return this.#native.bufferedAmountLowThreshold();
  }
  set bufferedAmountLowThreshold(value) {
    const native = this.#native;
    native.setBufferedAmountLowThreshold(enforcedLong(value, "bufferedAmountLowThreshold"));
  }

  get binaryType() {
    return this.#binaryType;
  }
  set binaryType(value) {
    const present = this.#binaryType;
    const string = `${value}`;
    this.#binaryType = BinaryType.includes(string) ? string : present;
  }

  send(data) {
    const native = this.#native;
    needArguments(arguments, 1, "send");
    let binary;
    if (typeof data === "object" && data !== null) {
      if (ArrayBuffer.isView(data)) {
        binary = octets(data);
      } else if (isArrayBuffer(data)) {
        binary = new Uint8Array(fixed(data));
      } else if (data instanceof Blob) {
        this.#sendBlob(data);
        return;
      }
    }
    if (binary === undefined) {
      const string = `${data}`;
      data = string.isWellFormed() ? string : string.toWellFormed();
    }
    if (this.#waiting !== null) {
      this.#waiting.push(binary === undefined ? data : binary.slice());
    } else if (binary === undefined) {
      this.#step = -1;
      native.sendString(data);
    } else {
      (this.#sendBinary ??= native.binarySender())(binary);
      this.#amount += binary.byteLength;
    }
  }

  #sendBlob(blob) {
    const waiting =
      this.#waiting ??
      new BlobQueue(this.#native, () => {
        this.#waiting = null;
        this.#step = -1;
        if (waiting.closing) this.close();
      });
    waiting.push(blob);
    this.#waiting = waiting;
  }

  close() {
    const native = this.#native;
    if (this.#waiting === null) native.close();
    else this.#waiting.closing = true;
    this.#connection.afterCall();
  }

  static {
    isDataChannel = value => #native in value;

    // §6.2 "announce/receive a message", the last steps.
    fireMessage = (channel, data, fromEventLoop) => {
      const content =
        typeof data === "string" || channel.#binaryType === "arraybuffer" ? data : new Blob([data]);
      fire(channel, new Message(content), fromEventLoop);
    };
  }
}
defineInterface(RTCDataChannel);
defineEventTarget(
  RTCDataChannel,
  isDataChannel,
  "open",
  "bufferedamountlow",
  "error",
  "closing",
  "close",
  "message",
);

// Web IDL §3.2.25: shared and resizable memory need [AllowShared] and [AllowResizable], which
// `send()` does not have.
function fixed(buffer) {
  if (buffer.resizable || !isArrayBuffer(buffer))
    throw new TypeError("send: the memory is shared or resizable");
  return buffer;
}

// Web IDL §3.2.25, "get a copy of the bytes"; the addon copies.
function octets(view) {
  const buffer = fixed(view.buffer);
  return view instanceof Uint8Array
    ? view
    : new Uint8Array(buffer, view.byteOffset, view.byteLength);
}

function newDataChannel(native, connection) {
  return new RTCDataChannel(internal, native, connection);
}

module.exports = { RTCDataChannel, isDataChannel, newDataChannel, fireMessage };
