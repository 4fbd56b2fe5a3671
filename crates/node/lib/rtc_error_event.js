"use strict";

// webrtc-pc §11.3 RTCErrorEvent

const { interfaceType, required } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");
const { RTCError, isRTCError } = require("./rtc_error.js");

const convert = eventArguments("RTCErrorEvent", {
  error: required(interfaceType(RTCError.name, isRTCError)),
});

class RTCErrorEvent extends Event {
  #init;

  constructor(type, eventInitDict) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    this.#init = init;
  }

  get error() {
    return this.#init.error;
  }
}
defineInterface(RTCErrorEvent);

module.exports = { RTCErrorEvent };
