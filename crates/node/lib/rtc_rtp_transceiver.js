"use strict";

// webrtc-pc §5.4 RTCRtpTransceiver

const { sequence, needArguments } = require("./webidl.js");
const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { known, remember } = require("./identity.js");
const { newSender, refreshSender } = require("./rtc_rtp_sender.js");
const { newReceiver, refreshReceiver } = require("./rtc_rtp_receiver.js");
const { RTCRtpCodec, RTCRtpTransceiverDirection } = require("./dictionaries.js");

const codecList = sequence(RTCRtpCodec);

let isTransceiver;
let refreshTransceiver;

class RTCRtpTransceiver {
  #native;
  #connection;
  #sender;
  #receiver;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    this.#native = native;
    this.#connection = connection;
    this.#sender = newSender(native, connection);
    this.#receiver = newReceiver(native, connection);
  }

  get mid() {
    return this.#native.mid();
  }
  get sender() {
    return this.#sender;
  }
  get receiver() {
    return this.#receiver;
  }

  get direction() {
    return this.#native.direction();
  }
  set direction(value) {
    const native = this.#native;
    const string = `${value}`;
    if (!RTCRtpTransceiverDirection.includes(string)) return;
    native.setDirection(string);
    this.#connection.afterCall();
  }

  get currentDirection() {
    return this.#native.currentDirection();
  }

  // No longer in the specification. Every browser has it, and programs use it.
  get stopped() {
    return this.#native.direction() === "stopped";
  }

  stop() {
    this.#native.stop();
    this.#connection.afterCall();
  }

  setCodecPreferences(codecs) {
    const native = this.#native;
    needArguments(arguments, 1, "setCodecPreferences");
    native.setCodecPreferences(codecList(codecs, "codecs"));
  }

  static {
    isTransceiver = value => #native in value;
    refreshTransceiver = transceiver => {
      refreshSender(transceiver.#sender);
      refreshReceiver(transceiver.#receiver);
    };
  }
}
defineInterface(RTCRtpTransceiver);

function transceiverOf(native, connection) {
  const { key } = native;
  let transceiver = known(key);
  if (transceiver === undefined) {
    transceiver = new RTCRtpTransceiver(internal, native, connection);
    remember(key, transceiver);
  }
  return transceiver;
}

module.exports = { RTCRtpTransceiver, isTransceiver, refreshTransceiver, transceiverOf };
