"use strict";

// mediacapture-main §4.3 MediaStreamTrack

const { syntheticTrack } = require("./native.js");
const { internal, onlyInternal, defineInterface, promised } = require("./interface.js");
const { defineEventTarget } = require("./event_target.js");
const { known, remember } = require("./identity.js");
const { MediaTrackConstraints } = require("./constraints.js");

let isTrack;
let nativeTrack;
let initialConstraints;

class MediaStreamTrack extends EventTarget {
  #native;
  // The device that the track comes from, with its constraints; null for a track of a connection.
  #source;
  #constraints = {};

  constructor(token = undefined, native, source) {
    onlyInternal(token);
    super();
    this.#native = native;
    this.#source = source;
  }

  get kind() {
    return this.#native.kind();
  }
  get id() {
    return this.#native.id();
  }
  get label() {
    return this.#source === null ? this.#native.label() : this.#source.label;
  }

  get enabled() {
    return this.#native.enabled();
  }
  set enabled(value) {
    this.#native.setEnabled(!!value);
  }

  get muted() {
    return this.#native.muted();
  }
  get readyState() {
    return this.#native.readyState();
  }

  clone() {
    const track = new MediaStreamTrack(
      internal,
      this.#native.clone(),
      this.#source?.clone() ?? null,
    );
    track.#constraints = structuredClone(this.#constraints);
    remember(track.#native.key, track);
    return track;
  }

  stop() {
    this.#native.stop();
  }

  getCapabilities() {
    return this.#source === null ? (void this.#native ?? {}) : this.#source.getCapabilities();
  }
  getConstraints() {
    return structuredClone(this.#constraints);
  }
  getSettings() {
    return this.#source === null ? (void this.#native ?? {}) : this.#source.getSettings();
  }

  applyConstraints(constraints = {}) {
    return promised(async () => {
      const source = this.#source;
      const converted = MediaTrackConstraints(constraints, "constraints");
      if (this.#native.readyState() === "ended") return;
      source?.apply(converted);
      this.#constraints = converted;
    });
  }

  static {
    isTrack = value => #native in value;
    nativeTrack = track => track.#native;
    initialConstraints = (track, constraints) => {
      track.#constraints = constraints;
    };
  }
}
defineInterface(MediaStreamTrack);
defineEventTarget(MediaStreamTrack, isTrack, "mute", "unmute", "ended");

function trackOf(native) {
  if (native === null) return null;
  const { key } = native;
  let track = known(key);
  if (track === undefined) {
    track = new MediaStreamTrack(internal, native, null);
    remember(key, track);
  }
  return track;
}

// Makes a live track of a synthetic device.
function newTrack(kind, source) {
  const native = syntheticTrack(kind);
  const track = new MediaStreamTrack(internal, native, source);
  remember(native.key, track);
  return track;
}

module.exports = { MediaStreamTrack, isTrack, nativeTrack, trackOf, newTrack, initialConstraints };
