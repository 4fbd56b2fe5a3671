// Files over a data channel, one channel for each; the counterpart, and the protocol, is
// `examples/src/browser/file.rs`.

const CHUNK_SIZE = 64 * 1024;
/** The sender waits when more bytes than this are queued, */
const HIGH_WATER = 1024 * 1024;
/** until no more than this are. */
const LOW_WATER = 256 * 1024;

/** The messages of a channel, one after another. Make it as soon as there is a channel. */
export class MessageQueue {
  #messages = [];
  #waiting = null;
  #ended = false;

  constructor(channel) {
    channel.binaryType = "arraybuffer";
    channel.addEventListener("message", ({ data }) => {
      this.#messages.push(data);
      this.#waiting?.();
    });
    channel.addEventListener("close", () => {
      this.#ended = true;
      this.#waiting?.();
    });
  }

  /** The next message. Rejects when the channel is closed and everything has been read. */
  async next() {
    while (this.#messages.length === 0) {
      if (this.#ended) throw new Error("the channel was closed");
      await new Promise(resolve => (this.#waiting = resolve));
    }
    return this.#messages.shift();
  }
}

/** Resolves when the channel is open; rejects if it never will be. */
export function opened(channel) {
  return new Promise((resolve, reject) => {
    if (channel.readyState === "open") return resolve();
    channel.addEventListener("open", () => resolve(), { once: true });
    channel.addEventListener("close", () => reject(new Error("the channel was closed")), {
      once: true,
    });
  });
}

/**
 * Sends a `File` on a channel made for it. Resolves when the receiver has confirmed that it has
 * every byte; `progress` is called with the bytes that have left.
 */
export async function sendFile(channel, file, progress) {
  const answers = new MessageQueue(channel);
  channel.bufferedAmountLowThreshold = LOW_WATER;
  const sending = write(channel, file, progress);
  // A receiver that refuses need not wait for the end.
  sending.catch(() => {});
  try {
    const answer = JSON.parse(await answers.next());
    if (answer.refused) throw new Error(`refused: ${answer.refused}`);
    const crc32 = await sending;
    if (answer.received?.size !== file.size || answer.received.crc32 !== crc32) {
      throw new Error("length or checksum is wrong");
    }
    progress(file.size);
    return { name: file.name };
  } finally {
    channel.close();
  }
}

async function write(channel, file, progress) {
  await opened(channel);
  channel.send(JSON.stringify({ name: file.name, size: file.size }));
  let crc = 0;
  for (let start = 0; start < file.size; start += CHUNK_SIZE) {
    if (channel.bufferedAmount > HIGH_WATER) await drained(channel);
    const chunk = await file.slice(start, start + CHUNK_SIZE).arrayBuffer();
    crc = crc32(new Uint8Array(chunk), crc);
    channel.send(chunk);
    progress(Math.max(0, start + chunk.byteLength - channel.bufferedAmount));
  }
  channel.send(JSON.stringify({ crc32: crc }));
  return crc;
}

function drained(channel) {
  return new Promise((resolve, reject) => {
    channel.onbufferedamountlow = () => resolve();
    channel.onclose = () => reject(new Error("the channel was closed"));
  });
}

/**
 * Receives the file that a channel was opened for: `{ name, blob }`. `begun` is called with name
 * and size, `progress` with the bytes that have come.
 */
export async function receiveFile(channel, messages, begun, progress) {
  try {
    const header = JSON.parse(await messages.next());
    begun(header);
    const chunks = [];
    let size = 0;
    let crc = 0;
    for (;;) {
      const message = await messages.next();
      if (typeof message === "string") {
        if (size !== header.size || crc !== JSON.parse(message).crc32) {
          throw new Error("length or checksum is wrong");
        }
        channel.send(JSON.stringify({ received: { size, crc32: crc } }));
        return { name: header.name, blob: new Blob(chunks) };
      }
      size += message.byteLength;
      crc = crc32(new Uint8Array(message), crc);
      chunks.push(message);
      progress(size);
    }
  } catch (error) {
    if (channel.readyState === "open") {
      channel.send(JSON.stringify({ refused: error.message }));
      channel.close();
    }
    throw error;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32; `crc` is that of the bytes before these. */
export function crc32(bytes, crc = 0) {
  let value = ~crc;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}
