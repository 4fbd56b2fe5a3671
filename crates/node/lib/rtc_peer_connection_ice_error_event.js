"use strict";

// webrtc-pc §4.8.3 RTCPeerConnectionIceErrorEvent

const { DOMString, USVString, unsignedShort, nullable, required } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");

const convert = eventArguments("RTCPeerConnectionIceErrorEvent", {
  address: nullable(DOMString),
  port: nullable(unsignedShort),
  url: USVString,
  errorCode: required(unsignedShort),
  errorText: USVString,
});

class RTCPeerConnectionIceErrorEvent extends Event {
  #init;

  constructor(type, eventInitDict) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    this.#init = init;
  }

  get address() {
    return this.#init.address ?? null;
  }
  get port() {
    return this.#init.port ?? null;
  }
  get url() {
    return this.#init.url ?? "";
  }
  get errorCode() {
    return this.#init.errorCode;
  }
  get errorText() {
    return this.#init.errorText ?? "";
  }
}
defineInterface(RTCPeerConnectionIceErrorEvent);

module.exports = { RTCPeerConnectionIceErrorEvent };
