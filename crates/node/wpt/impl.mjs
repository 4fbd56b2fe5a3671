// The module as the implementation under test.
import { mediaDevices } from "../lib/index.mjs";

export * from "../lib/index.mjs";

const devices = await mediaDevices.getUserMedia({ audio: true, video: true });

/**
 * Tests make tracks synchronously, and `getUserMedia()` does not: this clones an existing track.
 */
export function createTrack(kind) {
  return devices
    .getTracks()
    .find(track => track.kind === kind)
    .clone();
}
