"use strict";

// Synthetic devices for tests: a tone and a moving picture.
//
// Tracks have everything that mediacapture-main says of them, and no frames: media comes in a later version.

const { newTrack } = require("../media_stream_track.js");
const { MediaDevices, OverconstrainedError, mediaDevices } = require("./media_devices.js");
const { Tone, MovingPicture } = require("./sources.js");

// A live track of a device of its own. `settings`: `{ width, height, … }` that differ from the usual.
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
