// Plays the tracks of a stream, as far as this can be done without decoding: it follows the packets
// that arrive, and knows frames of VP8 by their headers.

/** RFC 7741 §4.2: the part of a frame in a payload, and whether it is the beginning. */
function parsePayload(payload) {
  const [first = 0, extension = 0] = payload;
  let offset = 1;
  if (first & 0x80) {
    offset += 1;
    if (extension & 0x80) offset += payload[offset] & 0x80 ? 2 : 1;
    if (extension & 0x40) offset += 1;
    if (extension & 0x30) offset += 1;
  }
  return { begins: (first & 0x17) === 0x10, data: payload.subarray(offset) };
}

/** RFC 6386 §9.1: the size of a key frame; undefined for other frames. */
function sizeOf(data) {
  const [tag = 1, , , a, b, c, w0, w1, h0, h1] = data;
  if (tag & 1 || a !== 0x9d || b !== 0x01 || c !== 0x2a || data.length < 10) return undefined;
  return { width: ((w1 << 8) | w0) & 0x3fff, height: ((h1 << 8) | h0) & 0x3fff };
}

/** Puts frames together. Those that depend on one that did not come are no frames. */
class Frames {
  #next;
  // The size of the picture, once a key frame has come.
  #size;
  #within = false;

  /** `{ size, timestamp }` of the frame that this packet completes. */
  push({ payload, sequenceNumber, timestamp, marker }) {
    if (payload.length === 0) return undefined;
    const { begins, data } = parsePayload(payload);
    const follows = this.#next === sequenceNumber;
    this.#next = (sequenceNumber + 1) & 0xffff;
    const keySize = begins ? sizeOf(data) : undefined;
    if (keySize) this.#size = keySize;
    else if (!follows) this.#size = undefined;
    this.#within = begins || (this.#within && follows);
    if (!marker || !this.#within || !this.#size) return undefined;
    this.#within = false;
    return { size: this.#size, timestamp };
  }

  get needKeyFrame() {
    return this.#size === undefined;
  }
}

const PATIENCE_MS = 500;

/**
 * Calls `arrived(track, frame)` for each frame of pictures, and for each packet of sound with null.
 * Returns a function that ends it. `hooks`: `readPackets(track)` and `requestKeyFrame(track)`.
 */
export function play(track, hooks, arrived) {
  const packets = hooks.readPackets(track);
  const frames = new Frames();
  let asked = -Infinity;
  (async () => {
    for await (const packet of packets) {
      if (track.kind === "audio") {
        arrived(track, null);
      } else if (packet.mimeType === "video/VP8") {
        const frame = frames.push(packet);
        if (frame) arrived(track, frame);
        if (frames.needKeyFrame && performance.now() - asked > PATIENCE_MS) {
          asked = performance.now();
          hooks.requestKeyFrame(track);
        }
      }
    }
  })();
  return () => packets.return();
}
