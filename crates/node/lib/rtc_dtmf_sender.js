"use strict";

// webrtc-pc §7.2 RTCDTMFSender

const { DOMString, unsignedLong, needArguments } = require("./webidl.js");
const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { defineEventTarget } = require("./event_target.js");

let isDTMFSender;

class RTCDTMFSender extends EventTarget {
  #native;
  #connection;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    super();
    this.#native = native;
    this.#connection = connection;
  }

  insertDTMF(tones, duration = 100, interToneGap = 70) {
    const native = this.#native;
    needArguments(arguments, 1, "insertDTMF");
    native.insertDTMF(DOMString(tones), unsignedLong(duration), unsignedLong(interToneGap));
    this.#connection.afterCall();
  }

  get canInsertDTMF() {
    return this.#native.canInsertDTMF();
  }
  get toneBuffer() {
    return this.#native.toneBuffer();
  }

  static {
    isDTMFSender = value => #native in value;
  }
}
defineInterface(RTCDTMFSender);
defineEventTarget(RTCDTMFSender, isDTMFSender, "tonechange");

function newDTMFSender(native, connection) {
  return new RTCDTMFSender(internal, native, connection);
}

module.exports = { RTCDTMFSender, newDTMFSender };
