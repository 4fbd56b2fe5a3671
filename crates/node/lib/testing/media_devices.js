"use strict";

// mediacapture-main §9.2 MediaDevices, with the synthetic devices of `sources.js`

const { internal, onlyInternal, defineInterface, promised } = require("../interface.js");
const { defineEventTarget } = require("../event_target.js");
const {
  MediaStreamConstraints,
  MediaTrackConstraints,
  supportedConstraints,
} = require("../constraints.js");
const { MediaStream } = require("../media_stream.js");
const { newTrack, initialConstraints } = require("../media_stream_track.js");
const { OverconstrainedError } = require("./constrain.js");
const { Tone, MovingPicture } = require("./sources.js");

const devices = [
  { deviceId: "tone", kind: "audioinput", label: "a tone", groupId: "synthetic" },
  { deviceId: "picture", kind: "videoinput", label: "a moving picture", groupId: "synthetic" },
];

let isMediaDevices;

class MediaDevices extends EventTarget {
  #brand;

  constructor(token = undefined) {
    onlyInternal(token);
    super();
  }

  // §9.2. Plain objects stand for MediaDeviceInfo: they are what its `toJSON()` returns.
  enumerateDevices() {
    return promised(async () => {
      void this.#brand;
      return devices.map(device => ({ ...device }));
    });
  }

  getSupportedConstraints() {
    void this.#brand;
    return Object.fromEntries(supportedConstraints.map(name => [name, true]));
  }

  // §10. Nobody is asked for permission.
  getUserMedia(constraints = {}) {
    return promised(async () => {
      void this.#brand;
      const { audio, video } = MediaStreamConstraints(constraints, "constraints");
      if (audio === false && video === false)
        throw new TypeError("neither audio nor video is asked for");
      const tracks = [];
      if (audio !== false) tracks.push(open("audio", new Tone(), audio));
      if (video !== false) tracks.push(open("video", new MovingPicture(), video));
      return new MediaStream(tracks);
    });
  }

  static {
    isMediaDevices = value => #brand in value;
  }
}
defineInterface(MediaDevices);
defineEventTarget(MediaDevices, isMediaDevices, "devicechange");

function open(kind, source, constraints) {
  const converted = constraints === true ? MediaTrackConstraints({}, "constraints") : constraints;
  source.apply(converted);
  const track = newTrack(kind, source);
  initialConstraints(track, converted);
  return track;
}

const mediaDevices = new MediaDevices(internal);

module.exports = { MediaDevices, OverconstrainedError, mediaDevices };
