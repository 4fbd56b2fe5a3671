"use strict";

// webrtc-pc §5.5 RTCDtlsTransport

const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { defineEventTarget } = require("./event_target.js");
const { known, remember } = require("./identity.js");
const { iceTransportOf } = require("./rtc_ice_transport.js");

let isDtlsTransport;

class RTCDtlsTransport extends EventTarget {
  #native;
  #iceTransport;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    super();
    this.#native = native;
    this.#iceTransport = iceTransportOf(native.iceTransport(), connection);
  }

  get iceTransport() {
    return this.#iceTransport;
  }
  get state() {
    return this.#native.state();
  }

  getRemoteCertificates() {
    return this.#native.getRemoteCertificates();
  }

  static {
    isDtlsTransport = value => #native in value;
  }
}
defineInterface(RTCDtlsTransport);
defineEventTarget(RTCDtlsTransport, isDtlsTransport, "statechange", "error");

function dtlsTransportOf(native, connection) {
  if (native === null) return null;
  const { key } = native;
  let transport = known(key);
  if (transport === undefined) {
    transport = new RTCDtlsTransport(internal, native, connection);
    remember(key, transport);
  }
  return transport;
}

module.exports = { RTCDtlsTransport, dtlsTransportOf };
