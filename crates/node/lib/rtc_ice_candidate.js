"use strict";

// webrtc-pc §4.8.1 RTCIceCandidate

const { NativeCandidate } = require("./native.js");
const { internal, defineInterface } = require("./interface.js");
const { known, remember } = require("./identity.js");
const { RTCLocalIceCandidateInit } = require("./dictionaries.js");

let isCandidate;

class RTCIceCandidate {
  #native;
  #attributes;

  constructor(candidateInitDict = {}) {
    this.#native =
      candidateInitDict === internal
        ? arguments[1]
        : new NativeCandidate(RTCLocalIceCandidateInit(candidateInitDict, "candidateInitDict"));
    this.#attributes = this.#native.attributes();
  }

  get candidate() {
    return this.#attributes.candidate;
  }
  get sdpMid() {
    return this.#attributes.sdpMid;
  }
  get sdpMLineIndex() {
    return this.#attributes.sdpMLineIndex;
  }
  get foundation() {
    return this.#attributes.foundation;
  }
  get component() {
    return this.#attributes.component;
  }
  get priority() {
    return this.#attributes.priority;
  }
  get address() {
    return this.#attributes.address;
  }
  get protocol() {
    return this.#attributes.protocol;
  }
  get port() {
    return this.#attributes.port;
  }
  get type() {
    return this.#attributes.type;
  }
  get tcpType() {
    return this.#attributes.tcpType;
  }
  get relatedAddress() {
    return this.#attributes.relatedAddress;
  }
  get relatedPort() {
    return this.#attributes.relatedPort;
  }
  get usernameFragment() {
    return this.#attributes.usernameFragment;
  }
  get relayProtocol() {
    return this.#attributes.relayProtocol;
  }
  get url() {
    return this.#attributes.url;
  }

  toJSON() {
    return this.#native.toJSON();
  }

  static {
    isCandidate = value => #native in value;
  }
}
defineInterface(RTCIceCandidate);

function candidateOf(native) {
  if (native === null) return null;
  const { key } = native;
  let candidate = known(key);
  if (candidate === undefined) {
    candidate = new RTCIceCandidate(internal, native);
    remember(key, candidate);
  }
  return candidate;
}

module.exports = { RTCIceCandidate, isCandidate, candidateOf };
