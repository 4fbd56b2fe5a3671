"use strict";

// webrtc-pc §4.8.2 RTCPeerConnectionIceEvent

const { USVString, nullable, interfaceType } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");
const { RTCIceCandidate, isCandidate } = require("./rtc_ice_candidate.js");

const convert = eventArguments("RTCPeerConnectionIceEvent", {
  candidate: nullable(interfaceType(RTCIceCandidate.name, isCandidate)),
  url: nullable(USVString),
});

class RTCPeerConnectionIceEvent extends Event {
  #init;

  constructor(type, eventInitDict = {}) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    this.#init = init;
  }

  get candidate() {
    return this.#init.candidate ?? null;
  }
  get url() {
    return this.#init.url ?? null;
  }
}
defineInterface(RTCPeerConnectionIceEvent);

module.exports = { RTCPeerConnectionIceEvent };
