"use strict";

// webrtc-pc §4.6.2 RTCSessionDescription

const { needArguments } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { RTCSessionDescriptionInit } = require("./dictionaries.js");

class RTCSessionDescription {
  #type;
  #sdp;

  constructor(descriptionInitDict) {
    needArguments(arguments, 1, "RTCSessionDescription");
    const { type, sdp } = RTCSessionDescriptionInit(descriptionInitDict, "descriptionInitDict");
    this.#type = type;
    this.#sdp = sdp;
  }

  get type() {
    return this.#type;
  }
  get sdp() {
    return this.#sdp;
  }

  toJSON() {
    return { type: this.#type, sdp: this.#sdp };
  }
}
defineInterface(RTCSessionDescription);

module.exports = { RTCSessionDescription };
