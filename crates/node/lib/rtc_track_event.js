"use strict";

// webrtc-pc §5.7 RTCTrackEvent

const { interfaceType, sequence, required, defaulting, emptyList } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");
const { RTCRtpReceiver, isReceiver } = require("./rtc_rtp_receiver.js");
const { RTCRtpTransceiver, isTransceiver } = require("./rtc_rtp_transceiver.js");
const { MediaStreamTrack, isTrack } = require("./media_stream_track.js");
const { MediaStream, isStream } = require("./media_stream.js");

const convert = eventArguments("RTCTrackEvent", {
  receiver: required(interfaceType(RTCRtpReceiver.name, isReceiver)),
  track: required(interfaceType(MediaStreamTrack.name, isTrack)),
  streams: defaulting(sequence(interfaceType(MediaStream.name, isStream)), emptyList),
  transceiver: required(interfaceType(RTCRtpTransceiver.name, isTransceiver)),
});

class RTCTrackEvent extends Event {
  #init;

  constructor(type, eventInitDict) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    Object.freeze(init.streams);
    this.#init = init;
  }

  get receiver() {
    return this.#init.receiver;
  }
  get track() {
    return this.#init.track;
  }
  get streams() {
    return this.#init.streams;
  }
  get transceiver() {
    return this.#init.transceiver;
  }
}
defineInterface(RTCTrackEvent);

module.exports = { RTCTrackEvent };
