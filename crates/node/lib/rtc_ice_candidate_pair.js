"use strict";

// webrtc-pc §5.6.2 RTCIceCandidatePair

const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { known, remember } = require("./identity.js");
const { candidateOf } = require("./rtc_ice_candidate.js");

class RTCIceCandidatePair {
  #local;
  #remote;

  constructor(token = undefined, native) {
    onlyInternal(token);
    this.#local = candidateOf(native.local());
    this.#remote = candidateOf(native.remote());
  }

  get local() {
    return this.#local;
  }
  get remote() {
    return this.#remote;
  }
}
defineInterface(RTCIceCandidatePair);

function candidatePairOf(native) {
  if (native === null) return null;
  const { key } = native;
  let pair = known(key);
  if (pair === undefined) {
    pair = new RTCIceCandidatePair(internal, native);
    remember(key, pair);
  }
  return pair;
}

module.exports = { RTCIceCandidatePair, candidatePairOf };
