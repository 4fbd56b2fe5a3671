"use strict";

// Synthetic devices for tests: a tone and a moving picture, both encoded beforehand.

const { newTrack } = require("../media_stream_track.js");
const { MediaDevices, OverconstrainedError, mediaDevices } = require("./media_devices.js");
const { Tone, MovingPicture } = require("./sources.js");

// Makes a live track of a new device.
function createTrack(kind) {
  switch (kind) {
    case "audio":
      return newTrack(kind, new Tone());
    case "video":
      return newTrack(kind, new MovingPicture());
    default:
      throw new TypeError(`no tracks of kind ${kind}`);
  }
}

module.exports = { createTrack, mediaDevices, MediaDevices, OverconstrainedError };
