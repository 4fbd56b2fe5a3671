"use strict";

// mediacapture-main §4.2 MediaStream

const { NativeStream } = require("./native.js");
const { isObject, DOMString, sequence, interfaceType, needArguments } = require("./webidl.js");
const { internal, defineInterface } = require("./interface.js");
const { defineEventTarget } = require("./event_target.js");
const { known, remember } = require("./identity.js");
const { MediaStreamTrack, isTrack, nativeTrack, trackOf } = require("./media_stream_track.js");

const track = interfaceType(MediaStreamTrack.name, isTrack);
const tracks = sequence(track);

let isStream;
let nativeStream;
let syncTracks;

class MediaStream extends EventTarget {
  #native;
  // The track set: the stream keeps its tracks alive.
  #tracks;

  constructor() {
    const native =
      arguments[0] === internal ? arguments[1] : new NativeStream(initialTracks(arguments));
    super();
    this.#native = native;
    this.#sync();
    remember(native.key, this);
  }

  #sync() {
    return (this.#tracks = this.#native.getTracks().map(trackOf));
  }

  get id() {
    return this.#native.id();
  }
  get active() {
    return this.#native.active();
  }

  getAudioTracks() {
    return this.#sync().filter(track => track.kind === "audio");
  }
  getVideoTracks() {
    return this.#sync().filter(track => track.kind === "video");
  }
  getTracks() {
    return this.#sync().slice();
  }

  getTrackById(trackId) {
    const present = this.#sync();
    needArguments(arguments, 1, "getTrackById");
    const id = DOMString(trackId);
    return present.find(track => track.id === id) ?? null;
  }

  addTrack(added) {
    const native = this.#native;
    needArguments(arguments, 1, "addTrack");
    native.addTrack(nativeTrack(track(added, "track")));
    this.#sync();
  }

  removeTrack(removed) {
    const native = this.#native;
    needArguments(arguments, 1, "removeTrack");
    native.removeTrack(nativeTrack(track(removed, "track")));
    this.#sync();
  }

  clone() {
    const clones = this.#sync().map(track => track.clone());
    return new MediaStream(internal, new NativeStream(clones.map(nativeTrack)));
  }

  static {
    isStream = value => #native in value;
    nativeStream = stream => stream.#native;
    syncTracks = stream => stream.#sync();
  }
}
defineInterface(MediaStream);
defineEventTarget(MediaStream, isStream, "addtrack", "removetrack");

// Tells the three constructors apart by their argument (Web IDL §3.6.1 step 12).
function initialTracks(args) {
  if (args.length === 0) return [];
  const [given] = args;
  const list = isObject(given) && isStream(given) ? given.getTracks() : tracks(given, "tracks");
  return list.map(nativeTrack);
}

function streamOf(native) {
  return known(native.key) ?? new MediaStream(internal, native);
}

module.exports = { MediaStream, isStream, nativeStream, syncTracks, streamOf };
