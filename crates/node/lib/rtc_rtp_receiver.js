"use strict";

// webrtc-pc §5.3 RTCRtpReceiver

const native = require("./native.js");
const { DOMString, double, nullable, needArguments } = require("./webidl.js");
const { internal, onlyInternal, defineInterface, promised } = require("./interface.js");
const { trackOf } = require("./media_stream_track.js");
const { dtlsTransportOf } = require("./rtc_dtls_transport.js");

const DOMHighResTimeStamp = nullable(double);

let isReceiver;
let refreshReceiver;

class RTCRtpReceiver {
  // The transceiver.
  #native;
  #connection;
  #track;
  #transport;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    this.#native = native;
    this.#connection = connection;
    this.#track = trackOf(native.receiverTrack());
  }

  get track() {
    return this.#track;
  }

  get transport() {
    const native = this.#native;
    return (this.#transport = dtlsTransportOf(native.receiverTransport(), this.#connection));
  }

  static getCapabilities(kind) {
    needArguments(arguments, 1, "getCapabilities");
    return native.getReceiverCapabilities(DOMString(kind));
  }

  getParameters() {
    return this.#native.getReceiveParameters();
  }
  getContributingSources() {
    return this.#native.getContributingSources();
  }
  getSynchronizationSources() {
    return this.#native.getSynchronizationSources();
  }

  getStats() {
    return promised(() => this.#connection.gather(this.#native.getReceiverStats()));
  }

  get jitterBufferTarget() {
    return this.#native.jitterBufferTarget();
  }
  set jitterBufferTarget(value) {
    this.#native.setJitterBufferTarget(DOMHighResTimeStamp(value, "jitterBufferTarget"));
  }

  static {
    isReceiver = value => #native in value;
    refreshReceiver = receiver => {
      if (receiver.#transport) void receiver.transport;
    };
  }
}
defineInterface(RTCRtpReceiver);

function newReceiver(native, connection) {
  return new RTCRtpReceiver(internal, native, connection);
}

module.exports = { RTCRtpReceiver, isReceiver, refreshReceiver, newReceiver };
