"use strict";

// mediacapture-main §4.4 MediaStreamTrackEvent

const { interfaceType, required } = require("./webidl.js");
const { defineInterface } = require("./interface.js");
const { eventArguments } = require("./events.js");
const { MediaStreamTrack, isTrack } = require("./media_stream_track.js");

const convert = eventArguments("MediaStreamTrackEvent", {
  track: required(interfaceType(MediaStreamTrack.name, isTrack)),
});

class MediaStreamTrackEvent extends Event {
  #init;

  constructor(type, eventInitDict) {
    const [converted, init] = convert(arguments);
    super(converted, init);
    this.#init = init;
  }

  get track() {
    return this.#init.track;
  }
}
defineInterface(MediaStreamTrackEvent);

module.exports = { MediaStreamTrackEvent };
