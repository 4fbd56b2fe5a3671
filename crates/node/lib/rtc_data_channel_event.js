"use strict";

// webrtc-pc §6.3 RTCDataChannelEvent

const { interfaceType, required } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");
const { RTCDataChannel, isDataChannel } = require("./rtc_data_channel.js");

const convert = eventArguments("RTCDataChannelEvent", {
  channel: required(interfaceType(RTCDataChannel.name, isDataChannel)),
});

class RTCDataChannelEvent extends Event {
  #init;

  constructor(type, eventInitDict) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    this.#init = init;
  }

  get channel() {
    return this.#init.channel;
  }
}
defineInterface(RTCDataChannelEvent);

module.exports = { RTCDataChannelEvent };
