"use strict";

// webrtc-pc §7.4 RTCDTMFToneChangeEvent

const { DOMString, defaulting } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");

const convert = eventArguments("RTCDTMFToneChangeEvent", { tone: defaulting(DOMString, "") });

class RTCDTMFToneChangeEvent extends Event {
  #init;

  constructor(type, eventInitDict = {}) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    this.#init = init;
  }

  get tone() {
    return this.#init.tone;
  }
}
defineInterface(RTCDTMFToneChangeEvent);

module.exports = { RTCDTMFToneChangeEvent };
