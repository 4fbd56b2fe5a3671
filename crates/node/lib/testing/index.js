"use strict";

// Synthetic devices for tests: a tone and a moving picture.
//
// Tracks have all members of mediacapture-main, but no frames yet: media comes in a later version.

const { newTrack } = require("../media_stream_track.js");
const { MediaDevices, OverconstrainedError, mediaDevices } = require("./media_devices.js");
const { Tone, MovingPicture } = require("./sources.js");

// Makes a live track of a new device. `settings`: `{ width, height, … }`, where they are not the
// default.
function createTrack(kind, settings = {}) {
  switch (kind) {
    case "audio":
      return newTrack(kind, new Tone(settings));
    case "video":
      return newTrack(kind, new MovingPicture(settings));
    default:
      throw new TypeError(`no tracks of kind ${kind}`);
  }
}

module.exports = { createTrack, mediaDevices, MediaDevices, OverconstrainedError };
