"use strict";

// webrtc-pc §5.6 RTCIceTransport

const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { defineEventTarget } = require("./event_target.js");
const { known, remember } = require("./identity.js");
const { candidateOf } = require("./rtc_ice_candidate.js");
const { candidatePairOf } = require("./rtc_ice_candidate_pair.js");

let isIceTransport;

class RTCIceTransport extends EventTarget {
  #native;
  // A transport keeps its connection alive.
  #connection;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    super();
    this.#native = native;
    this.#connection = connection;
  }

  get role() {
    return this.#native.role();
  }
  get component() {
    return this.#native.component();
  }
  get state() {
    return this.#native.state();
  }
  get gatheringState() {
    return this.#native.gatheringState();
  }

  getLocalCandidates() {
    return this.#native.getLocalCandidates().map(candidateOf);
  }
  getRemoteCandidates() {
    return this.#native.getRemoteCandidates().map(candidateOf);
  }
  getSelectedCandidatePair() {
    return candidatePairOf(this.#native.getSelectedCandidatePair());
  }
  getLocalParameters() {
    return this.#native.getLocalParameters();
  }
  getRemoteParameters() {
    return this.#native.getRemoteParameters();
  }

  static {
    isIceTransport = value => #native in value && #connection in value;
  }
}
defineInterface(RTCIceTransport);
defineEventTarget(
  RTCIceTransport,
  isIceTransport,
  "statechange",
  "gatheringstatechange",
  "selectedcandidatepairchange",
);

function iceTransportOf(native, connection) {
  const { key } = native;
  let transport = known(key);
  if (transport === undefined) {
    transport = new RTCIceTransport(internal, native, connection);
    remember(key, transport);
  }
  return transport;
}

module.exports = { RTCIceTransport, iceTransportOf };
