// The implementation under test becomes the global interfaces of a window.
import { define } from "./define.mjs";
import { audioContextOf, devicesOf } from "./media.mjs";

/**
 * Exports with an upper-case first letter become globals. The others are hooks:
 * - `createTrack(kind, {width, height})`: a new MediaStreamTrack, at once
 * - `mediaDevices`, or `getUserMedia`: for `navigator.mediaDevices`, instead of one on
 *   `createTrack`
 * - `readPackets(track)`: an async iterator of the packets that a track gives, for media elements:
 *   `{payload, sequenceNumber, timestamp, marker, mimeType}`; `requestKeyFrame(track)` with it
 * - `createElement(tag)`: asked first by `document.createElement`
 * - `structuredClone(value)`: clones platform objects given to `postMessage`
 * - `setup(globalThis)`: called and awaited last
 */
export async function installImplementation(module) {
  const { default: main, ...named } = module;
  const exported = main?.RTCPeerConnection ? { ...main, ...named } : named;
  for (const [name, value] of Object.entries(exported))
    if (/^[A-Z]/.test(name)) define(name, value);

  const { createTrack, mediaDevices, getUserMedia, setup } = exported;
  const { createElement, structuredClone, readPackets, requestKeyFrame } = exported;
  if (createTrack && !globalThis.AudioContext) {
    for (const [name, value] of Object.entries(audioContextOf(createTrack))) define(name, value);
  }
  const devices = mediaDevices ?? (getUserMedia ? { getUserMedia } : devicesOf(createTrack));
  define("mediaDevices", devices, globalThis.navigator);
  await setup?.(globalThis);
  return { createElement, structuredClone, readPackets, requestKeyFrame };
}
