// Video and audio elements, as far as the tests look. They play what really arrives: a video whose
// tracks give no packets never plays. Pictures are not decoded, so nothing can be drawn of them.
import { HTMLElement } from "./elements.mjs";
import { play } from "./playback.mjs";

const [HAVE_NOTHING, HAVE_METADATA, HAVE_ENOUGH_DATA] = [0, 1, 4];
/** HTML §4.8.11.8: between 15 and 250 ms. */
const TIMEUPDATE_MS = 250;

export function mediaElements(hooks) {
  class HTMLMediaElement extends HTMLElement {
    #stream = null;
    #ends = new Map();
    // The tracks of which something has come.
    #heard = new Set();
    #playing = [];
    #started;
    #updated = -Infinity;
    #added = ({ track }) => this.#follow(track);

    autoplay = false;
    muted = false;
    paused = true;
    readyState = HAVE_NOTHING;

    get srcObject() {
      return this.#stream;
    }

    set srcObject(stream) {
      this.load();
      this.#stream?.removeEventListener("addtrack", this.#added);
      this.#stream = stream;
      if (!stream || !hooks.readPackets) return;
      stream.addEventListener("addtrack", this.#added);
      for (const track of stream.getTracks()) this.#follow(track);
    }

    get currentTime() {
      return this.#started === undefined ? 0 : (performance.now() - this.#started) / 1000;
    }

    play() {
      if (this.paused) {
        this.paused = false;
        this.fire("play");
      }
      if (this.readyState === HAVE_ENOUGH_DATA) {
        this.#start();
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => this.#playing.push({ resolve, reject }));
    }

    pause() {
      if (this.paused) return;
      this.paused = true;
      this.#abort();
      this.fire("pause");
    }

    load() {
      this.#abort();
      for (const end of this.#ends.values()) end();
      this.#ends.clear();
      this.#heard.clear();
      this.#started = undefined;
      this.readyState = HAVE_NOTHING;
      this.resized(undefined);
    }

    /** A frame of pictures is shown. */
    shown(_frame) {}

    /** The size of the pictures is known, or no longer. */
    resized(_size) {}

    fire(type) {
      const event = new Event(type);
      this.dispatchEvent(event);
      this[`on${type}`]?.(event);
    }

    #abort() {
      const error = new DOMException("the play() request was interrupted", "AbortError");
      for (const { reject } of this.#playing.splice(0)) reject(error);
    }

    #follow(track) {
      if (track.kind === "video" && !this.showsPictures) return;
      if (!this.#ends.has(track))
        this.#ends.set(
          track,
          play(track, hooks, (track, frame) => this.#arrived(track, frame)),
        );
    }

    #arrived(track, frame) {
      // HTML §4.8.11.11: the first video track is the one that is shown.
      if (frame && track !== this.#stream.getVideoTracks()[0]) return;
      this.#heard.add(track);
      if (frame) this.resized(frame.size);
      if (this.readyState === HAVE_NOTHING) this.#begin();
      if (this.readyState !== HAVE_ENOUGH_DATA || this.paused) return;
      this.#start();
      if (frame) this.shown(frame);
      if (performance.now() - this.#updated < TIMEUPDATE_MS) return;
      this.#updated = performance.now();
      this.fire("timeupdate");
    }

    // The size is metadata: with pictures, one must have come.
    #begin() {
      const pictures = this.showsPictures ? this.#stream.getVideoTracks().slice(0, 1) : [];
      if (!pictures.every(track => this.#heard.has(track))) return;
      this.readyState = HAVE_METADATA;
      this.fire("loadedmetadata");
      this.readyState = HAVE_ENOUGH_DATA;
      for (const type of ["loadeddata", "canplay", "canplaythrough"]) this.fire(type);
      if (this.autoplay && this.paused) {
        this.paused = false;
        this.fire("play");
      }
    }

    #start() {
      if (this.#started === undefined) {
        this.#started = performance.now();
        this.fire("playing");
      }
      for (const { resolve } of this.#playing.splice(0)) resolve();
    }
  }

  class HTMLVideoElement extends HTMLMediaElement {
    #callbacks = new Map();
    #lastCallback = 0;
    #shown = 0;

    videoWidth = 0;
    videoHeight = 0;

    get showsPictures() {
      return true;
    }

    resized({ width, height } = { width: 0, height: 0 }) {
      if (this.videoWidth === width && this.videoHeight === height) return;
      [this.videoWidth, this.videoHeight] = [width, height];
      this.fire("resize");
    }

    shown({ size, timestamp }) {
      this.#shown += 1;
      const now = performance.now();
      const callbacks = [...this.#callbacks.values()];
      this.#callbacks.clear();
      const metadata = {
        presentationTime: now,
        expectedDisplayTime: now,
        width: size.width,
        height: size.height,
        mediaTime: this.currentTime,
        presentedFrames: this.#shown,
        rtpTimestamp: timestamp,
      };
      for (const callback of callbacks) callback(now, metadata);
    }

    requestVideoFrameCallback(callback) {
      this.#callbacks.set((this.#lastCallback += 1), callback);
      return this.#lastCallback;
    }

    cancelVideoFrameCallback(handle) {
      this.#callbacks.delete(handle);
    }

    getVideoPlaybackQuality() {
      const creationTime = performance.now();
      return { creationTime, totalVideoFrames: this.#shown, droppedVideoFrames: 0 };
    }
  }

  class HTMLAudioElement extends HTMLMediaElement {
    get showsPictures() {
      return false;
    }
  }

  return { HTMLMediaElement, HTMLVideoElement, HTMLAudioElement };
}
