/// <reference lib="dom" />

/** A live track of a new synthetic device. */
export declare function createTrack(kind: "audio" | "video"): MediaStreamTrack;

export { mediaDevices, OverconstrainedError } from "../index.js";
