"use strict";

// webrtc-pc §6.1.1 RTCSctpTransport

const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { defineEventTarget } = require("./event_target.js");
const { known, remember } = require("./identity.js");
const { dtlsTransportOf } = require("./rtc_dtls_transport.js");

let isSctpTransport;

class RTCSctpTransport extends EventTarget {
  #native;
  #connection;
  // Kept, so that the attribute returns the same object each time.
  #transport;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    super();
    this.#native = native;
    this.#connection = connection;
  }

  get transport() {
    const native = this.#native;
    return (this.#transport = dtlsTransportOf(native.transport(), this.#connection));
  }

  get state() {
    return this.#native.state();
  }
  get maxMessageSize() {
    return this.#native.maxMessageSize();
  }
  get maxChannels() {
    return this.#native.maxChannels();
  }

  static {
    isSctpTransport = value => #native in value;
  }
}
defineInterface(RTCSctpTransport);
defineEventTarget(RTCSctpTransport, isSctpTransport, "statechange");

function sctpTransportOf(native, connection) {
  if (native === null) return null;
  const { key } = native;
  let transport = known(key);
  if (transport === undefined) {
    transport = new RTCSctpTransport(internal, native, connection);
    remember(key, transport);
  }
  return transport;
}

module.exports = { RTCSctpTransport, sctpTransportOf };
