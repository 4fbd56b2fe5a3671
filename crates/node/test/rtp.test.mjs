// Packets of RTP, beyond the W3C interfaces: tracks give them, sources take them, and tracks that
// were received are forwarded.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MediaStreamTrack,
  RTCRtpSender,
  RtpPacket,
  TrackSource,
  mediaDevices,
  readPackets,
  requestKeyFrame,
} from "peerconnection";
import { createTrack } from "peerconnection/testing";

import { negotiate, nextEvent, twoPeers } from "./peers.mjs";

/** A track of a device that stops with the test. */
function deviceTrack(context, kind) {
  const track = createTrack(kind);
  context.after(() => track.stop());
  return track;
}

/** Tracks without a connection do not keep the process alive. */
function keepAlive(context) {
  const timer = setInterval(() => {}, 1000);
  context.after(() => clearInterval(timer));
}

/** The track that `b` receives when `a` sends this one. */
async function sent(a, b, track) {
  const received = nextEvent(b, "track");
  const sender = a.addTrack(track);
  await negotiate(a, b);
  return { remote: (await received).track, sender };
}

async function take(packets, count) {
  const taken = [];
  while (taken.length < count) taken.push((await packets.next()).value);
  return taken;
}

/** RFC 7741 §4.3: the first packet of a key frame, of a payload that has a descriptor of 4 octets. */
const beginsKeyFrame = ({ payload }) => payload[0] === 0x90 && (payload[4] & 1) === 0;

const connected = async pc => {
  while (pc.connectionState !== "connected") await nextEvent(pc, "connectionstatechange");
};

/** Calls `step` with 0, 1, 2 and so on until `done` is settled. */
function repeat(step, done) {
  let count = 0;
  const timer = setInterval(() => step(count++), 10);
  return done.finally(() => clearInterval(timer));
}

test("sound of a device reaches the peer as packets of Opus", async context => {
  const { remote } = await sent(...twoPeers(context), deviceTrack(context, "audio"));
  const packets = readPackets(remote);
  const [first, ...others] = await take(packets, 10);
  assert.ok(first instanceof RtpPacket);
  assert.equal(first.mimeType, "audio/opus");
  assert.equal(first.clockRate, 48_000);
  assert.equal(first.rid, null);
  const codec = RTCRtpSender.getCapabilities("audio").codecs.find(c => c.mimeType === "audio/opus");
  assert.equal(codec.clockRate, first.clockRate);
  assert.ok(first.payload instanceof Uint8Array && first.payload.length > 0);
  assert.equal(first.payload, first.payload);
  let last = first;
  for (const packet of others) {
    assert.equal(packet.ssrc, first.ssrc);
    assert.equal(packet.payloadType, first.payloadType);
    assert.equal((packet.sequenceNumber - last.sequenceNumber) & 0xffff, 1);
    // 20 ms of sound
    assert.equal((packet.timestamp - last.timestamp) >>> 0, 960);
    last = packet;
  }
  assert.equal(packets.dropped, 0);
});

test("pictures begin with a key frame, and a request brings another one", async context => {
  const { remote } = await sent(...twoPeers(context), deviceTrack(context, "video"));
  const packets = readPackets(remote);
  const until = async wanted => {
    for (let count = 1; ; count += 1) {
      const [packet] = await take(packets, 1);
      assert.equal(packet.mimeType, "video/VP8");
      if (wanted(packet)) return { packet, count };
    }
  };
  const { packet: first } = await until(beginsKeyFrame);
  // 320x240 stands in the header of the frame (RFC 6386 §9.1).
  assert.deepEqual([...first.payload.subarray(10, 14)], [320 & 255, 320 >> 8, 240, 0]);
  await until(({ marker }) => marker);
  await until(({ marker }) => marker);
  requestKeyFrame(remote);
  // Left alone, the device has nine other frames of one packet each before the next key frame.
  const { packet, count } = await until(beginsKeyFrame);
  assert.ok(count < 8, `${count} packets`);
  assert.equal((packet.timestamp - first.timestamp) % 9000, 0);
});

test("a received track is forwarded to another peer", async context => {
  const [publisher, server] = twoPeers(context);
  const [relay, viewer] = twoPeers(context);
  const { remote } = await sent(publisher, server, deviceTrack(context, "video"));
  const { remote: forwarded } = await sent(relay, viewer, remote);
  for await (const packet of readPackets(forwarded)) {
    assert.equal(packet.mimeType, "video/VP8");
    // The viewer asks for a key frame, and the request goes all the way to the device.
    if (beginsKeyFrame(packet)) break;
  }
  assert.equal(forwarded.muted, false);
});

test("a source sends what the application has encoded", async context => {
  const source = new TrackSource("video");
  const { track } = source;
  assert.ok(track instanceof MediaStreamTrack);
  assert.equal(source.track, track);
  assert.deepEqual([track.kind, track.readyState, track.muted], ["video", "live", false]);

  const [a, b] = twoPeers(context);
  const { remote } = await sent(a, b, track);
  const received = take(readPackets(remote), 3);
  await connected(a);
  await repeat(count => {
    source.send({
      mimeType: "video/VP8",
      sequenceNumber: 65_534 + count,
      timestamp: 3000 * count,
      marker: true,
      payload: new Uint8Array([0, 0x10, count]).subarray(1),
    });
  }, received);
  const packets = await received;
  const [first] = packets[0].payload.subarray(1);
  packets.forEach((packet, index) => {
    assert.deepEqual([...packet.payload], [0x10, first + index]);
    assert.equal(packet.marker, true);
    assert.equal((packet.timestamp - packets[0].timestamp) >>> 0, 3000 * index);
    assert.equal((packet.sequenceNumber - packets[0].sequenceNumber) & 0xffff, index);
  });
});

test("a source passes on packets of other tracks", async context => {
  const source = new TrackSource("audio");
  const [a, b] = twoPeers(context);
  const { remote } = await sent(a, b, source.track);
  const local = readPackets(deviceTrack(context, "audio"));
  const passing = (async () => {
    for await (const packet of local) source.send(packet);
  })();
  const packets = await take(readPackets(remote), 5);
  await local.return();
  await passing;
  for (const packet of packets) assert.equal(packet.mimeType, "audio/opus");
});

test("a source hears when the peer needs a key frame", async context => {
  const source = new TrackSource("video");
  const [a, b] = twoPeers(context);
  const { remote } = await sent(a, b, source.track);
  const asked = new Promise(resolve => (source.onkeyframerequest = resolve));
  assert.equal(typeof source.onkeyframerequest, "function");
  const reading = readPackets(remote);
  const [first] = [reading.next()];
  const packet = { mimeType: "video/VP8", payload: new Uint8Array([0x10, 1]), marker: true };
  const send = count => source.send({ ...packet, sequenceNumber: count, timestamp: 3000 * count });
  await connected(a);
  await repeat(send, first);
  requestKeyFrame(remote);
  assert.deepEqual(await asked, { rid: null });
  source.onkeyframerequest = null;
  assert.equal(source.onkeyframerequest, null);
});

test("what a source cannot send is refused", () => {
  assert.throws(() => new TrackSource("smell"), TypeError);
  assert.throws(() => new TrackSource(), TypeError);
  assert.throws(() => TrackSource("audio"), TypeError);
  const source = new TrackSource("audio");
  const packet = {
    mimeType: "audio/opus",
    sequenceNumber: 1,
    timestamp: 1,
    payload: new ArrayBuffer(1),
  };
  source.send(packet);
  assert.throws(() => source.send({ ...packet, mimeType: "audio/mp3" }), {
    name: "NotSupportedError",
  });
  assert.throws(() => source.send({ ...packet, mimeType: "video/VP8" }), {
    name: "NotSupportedError",
  });
  assert.throws(() => source.send({ ...packet, payload: "text" }), TypeError);
  assert.throws(() => source.send({ ...packet, payload: undefined }), TypeError);
  assert.throws(() => source.send(), TypeError);
  assert.throws(() => readPackets({}), TypeError);
  assert.throws(() => requestKeyFrame({}), TypeError);
  assert.throws(() => new RtpPacket(), TypeError);
});

test("readers of one track each get all packets, until they end or the track does", async context => {
  keepAlive(context);
  const track = deviceTrack(context, "audio");
  const [one, other] = [readPackets(track), readPackets(track)];
  const numbers = list => list.map(({ sequenceNumber }) => sequenceNumber);
  // Two that wait at once are served in order.
  const waiting = [other.next(), other.next()];
  const first = numbers(await take(one, 4));
  const values = (await Promise.all(waiting)).map(({ value }) => value);
  assert.deepEqual(numbers([...values, ...(await take(other, 2))]), first);

  const last = one.next();
  assert.deepEqual(await one.return("over"), { value: "over", done: true });
  assert.deepEqual(await last, { value: undefined, done: true });
  assert.deepEqual(await one.next(), { value: undefined, done: true });

  const end = (async () => {
    for await (const packet of other) assert.equal(packet.mimeType, "audio/opus");
    return "ended";
  })();
  track.stop();
  assert.equal(await end, "ended");
  assert.equal((await readPackets(track).next()).done, true);
});

test("a track that is not enabled gives silence, and its clone goes on", async context => {
  keepAlive(context);
  const track = deviceTrack(context, "audio");
  const clone = track.clone();
  context.after(() => clone.stop());
  track.enabled = false;
  const silence = [0xf8, 0xff, 0xfe];
  for (const { payload } of await take(readPackets(track), 3))
    assert.deepEqual([...payload], silence);
  const [loud] = await take(readPackets(clone), 1);
  assert.notDeepEqual([...loud.payload], silence);
  track.stop();
  // The device plays for the clone alone now.
  assert.equal((await take(readPackets(clone), 3)).length, 3);
});

test("the layers of simulcast arrive one by one", async context => {
  const [a, b] = twoPeers(context);
  const stream = await mediaDevices.getUserMedia({ video: true });
  context.after(() => stream.getTracks().forEach(track => track.stop()));
  const sendEncodings = [{ rid: "low" }, { rid: "high" }];
  const { sender } = a.addTransceiver(stream.getTracks()[0], { sendEncodings });
  const received = nextEvent(b, "track");
  await negotiate(a, b);
  assert.deepEqual(
    sender.getParameters().encodings.map(({ rid }) => rid),
    ["low", "high"],
  );
  const seen = new Map();
  for await (const { rid, ssrc } of readPackets((await received).track)) {
    seen.set(rid, ssrc);
    if (seen.size === 2) break;
  }
  assert.deepEqual([...seen.keys()].sort(), ["high", "low"]);
  assert.notEqual(seen.get("high"), seen.get("low"));
});
