/// <reference lib="dom" />

/** A live track of a synthetic device. `settings` replace the device's usual ones. */
export declare function createTrack(
  kind: "audio" | "video",
  settings?: MediaTrackSettings,
): MediaStreamTrack;

export { mediaDevices, OverconstrainedError } from "../index.js";
