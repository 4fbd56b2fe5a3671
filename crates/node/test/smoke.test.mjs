// The module as an application uses it: connections, channels, restarts, both peers at once.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MediaStream,
  RTCDataChannel,
  RTCError,
  RTCPeerConnection,
  RTCSessionDescription,
  RTCStatsReport,
  mediaDevices,
} from "peerconnection";

import { negotiate, nextEvent, twoPeers, until } from "./peers.mjs";

const opened = channel => until(() => channel.readyState === "open", channel, "open");

/** A channel of each peer, open, with the messages that have come to it. */
async function openChannels(a, b, init) {
  const channel = a.createDataChannel("channel", init);
  const announced = nextEvent(b, "datachannel").then(event => event.channel);
  await negotiate(a, b);
  const channels = [channel, await announced];
  for (const one of channels) {
    one.received = [];
    one.addEventListener("message", ({ data }) => one.received.push(data));
  }
  await opened(channel);
  return channels;
}

const received = (channel, count) =>
  until(() => channel.received.length >= count, channel, "message");

test("two peers exchange text and octets", async context => {
  const [ours, theirs] = await openChannels(...twoPeers(context));
  ours.send("text");
  ours.send(new Uint8Array([1, 2, 3]));
  ours.send(new Uint8Array([0, 7, 8, 0]).subarray(1, 3));
  ours.send(new ArrayBuffer(0));
  await received(theirs, 4);
  assert.equal(theirs.received[0], "text");
  const octets = theirs.received.slice(1).map(data => [...new Uint8Array(data)]);
  assert.deepEqual(octets, [[1, 2, 3], [7, 8], []]);

  theirs.send("back");
  await received(ours, 1);
  assert.deepEqual(ours.received, ["back"]);
});

test("a Blob is sent in its turn, and octets come as Blobs if asked for", async context => {
  const [ours, theirs] = await openChannels(...twoPeers(context));
  theirs.binaryType = "blob";
  ours.send(new Blob(["first"]));
  ours.send("second");
  await received(theirs, 2);
  assert.ok(theirs.received[0] instanceof Blob);
  assert.equal(await theirs.received[0].text(), "first");
  assert.equal(theirs.received[1], "second");
});

test("bufferedAmount counts what was sent in this task, and falls in a later one", async context => {
  const [ours, theirs] = await openChannels(...twoPeers(context));
  const [blob, octets] = [new Blob(["12345"]), new Uint8Array(1000)];
  const amounts = [ours.bufferedAmount];
  for (const data of [octets, "\u00e4\u00f6", octets, blob, octets]) {
    ours.send(data);
    amounts.push(ours.bufferedAmount);
  }
  assert.deepEqual(amounts, [0, 1000, 1004, 2004, 2009, 3009]);
  const busyUntil = performance.now() + 20;
  while (performance.now() < busyUntil);
  assert.equal(ours.bufferedAmount, 3009, "the network has sent them, but no task has run");
  await until(() => ours.bufferedAmount === 0, ours, "bufferedamountlow");
  await received(theirs, 5);
  assert.deepEqual(
    theirs.received.map(data => data.byteLength ?? data),
    [1000, "\u00e4\u00f6", 1000, 5, 1000],
  );
  // Small messages share memory, but do not overlap.
  ours.send(new Uint8Array(4097).fill(1));
  ours.send(new Uint8Array([2]));
  ours.send(new Uint8Array(70_000).fill(3));
  ours.send(new Uint8Array([4, 4]));
  await received(theirs, 9);
  const sent = theirs.received
    .slice(5)
    .map(data => [data.byteLength, new Set(new Uint8Array(data))]);
  assert.deepEqual(sent, [
    [4097, new Set([1])],
    [1, new Set([2])],
    [70_000, new Set([3])],
    [2, new Set([4])],
  ]);
});

test("the peer sees a channel as it was made", async context => {
  const init = { ordered: false, maxRetransmits: 3, protocol: "chat", priority: "high" };
  const [, theirs] = await openChannels(...twoPeers(context), init);
  assert.ok(theirs instanceof RTCDataChannel);
  const { label, ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated } = theirs;
  const { priority } = theirs;
  assert.deepEqual(
    { label, ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated, priority },
    { label: "channel", ...init, maxPacketLifeTime: null, negotiated: false },
  );
});

test("a channel that both have agreed on needs no announcement", async context => {
  const [a, b] = twoPeers(context);
  b.ondatachannel = () => assert.fail("announced");
  const channels = [a, b].map(pc => pc.createDataChannel("agreed", { negotiated: true, id: 5 }));
  await negotiate(a, b);
  await Promise.all(channels.map(opened));
  const message = nextEvent(channels[1], "message");
  channels[0].send("over 5");
  assert.equal((await message).data, "over 5");
});

test("closing ends the channel of the peer too", async context => {
  const [ours, theirs] = await openChannels(...twoPeers(context));
  const closed = nextEvent(theirs, "close");
  ours.send("last");
  ours.close();
  assert.equal(ours.readyState, "closing");
  await closed;
  assert.deepEqual(theirs.received, ["last"]);
  assert.equal(theirs.readyState, "closed");
  assert.throws(() => theirs.send("too late"), { name: "InvalidStateError" });
});

test("a connection that the peer closes is an error of its channels", async context => {
  const [a, b] = twoPeers(context);
  const [, theirs] = await openChannels(a, b);
  const failed = nextEvent(theirs, "error");
  const closed = nextEvent(theirs, "close");
  a.close();
  const { error } = await failed;
  assert.ok(error instanceof RTCError);
  assert.equal(error.errorDetail, "sctp-failure");
  await closed;
});

test("restarts do not interrupt what is being sent", async context => {
  const [a, b] = twoPeers(context);
  const [ours, theirs] = await openChannels(a, b);
  const ufrag = pc => /a=ice-ufrag:(\S+)/.exec(pc.currentLocalDescription.sdp)[1];
  let sent = 0;
  const timer = setInterval(() => ours.send(String(sent++)), 2);
  context.after(() => clearInterval(timer));

  for (const offerer of [a, b]) {
    const answerer = offerer === a ? b : a;
    const before = [ufrag(a), ufrag(b)];
    const needed = nextEvent(offerer, "negotiationneeded");
    offerer.restartIce();
    await needed;
    await negotiate(offerer, answerer);
    assert.notEqual(ufrag(a), before[0]);
    assert.notEqual(ufrag(b), before[1]);
    await received(theirs, sent + 50);
  }
  clearInterval(timer);
  await received(theirs, sent);
  assert.deepEqual(
    theirs.received,
    Array.from({ length: sent }, (_, index) => String(index)),
  );
});

test("glare ends with the offer of the peer, and the own one is made again", async context => {
  const [polite, impolite] = twoPeers(context);
  polite.addTransceiver("audio");
  impolite.addTransceiver("audio");
  await Promise.all([polite.setLocalDescription(), impolite.setLocalDescription()]);

  const states = [];
  polite.onsignalingstatechange = () => states.push(polite.signalingState);
  const needed = nextEvent(polite, "negotiationneeded");
  await polite.setRemoteDescription(impolite.localDescription);
  await polite.setLocalDescription();
  await impolite.setRemoteDescription(polite.localDescription);
  assert.deepEqual(states, ["stable", "have-remote-offer", "stable"]);
  await needed;
  await negotiate(polite, impolite);
  assert.deepEqual(
    polite.getTransceivers().map(({ currentDirection }) => currentDirection),
    ["sendonly", "recvonly"],
  );
});

test("tracks and their streams reach the peer", async context => {
  const [a, b] = twoPeers(context);
  const stream = await mediaDevices.getUserMedia({ audio: true, video: true });
  context.after(() => stream.getTracks().forEach(track => track.stop()));
  for (const track of stream.getTracks()) a.addTrack(track, stream);

  const tracks = [];
  b.ontrack = event => tracks.push(event);
  await negotiate(a, b);
  assert.deepEqual(tracks.map(({ track }) => track.kind).sort(), ["audio", "video"]);
  const [remote] = tracks[0].streams;
  assert.ok(remote instanceof MediaStream);
  assert.equal(remote.id, stream.id);
  assert.equal(tracks[1].streams[0], remote);
  assert.equal(remote.getTracks().length, 2);
});

test("objects are the same each time", async context => {
  const [a, b] = twoPeers(context);
  const transceiver = a.addTransceiver("audio");
  a.createDataChannel("channel");
  await negotiate(a, b);
  assert.equal(a.getTransceivers()[0], transceiver);
  assert.equal(a.getSenders()[0], transceiver.sender);
  assert.equal(a.sctp, a.sctp);
  assert.equal(a.sctp.transport, transceiver.sender.transport);
  assert.equal(a.sctp.transport.iceTransport, transceiver.receiver.transport.iceTransport);
  assert.equal(a.localDescription, a.currentLocalDescription);
});

test("wrong arguments are TypeErrors, or promises that reject with one", async context => {
  assert.throws(() => RTCPeerConnection(), TypeError);
  assert.throws(() => new RTCPeerConnection({ bundlePolicy: "none" }), TypeError);
  assert.throws(() => new RTCSessionDescription({ sdp: "" }), TypeError);
  const [pc] = twoPeers(context);
  assert.throws(() => pc.createDataChannel(), TypeError);
  assert.throws(() => pc.createDataChannel("", { id: 65_536 }), TypeError);
  await assert.rejects(pc.setRemoteDescription({ type: "none", sdp: "" }), TypeError);
  await assert.rejects(pc.createAnswer(), { name: "InvalidStateError" });
  const error = await pc.setRemoteDescription({ type: "offer", sdp: "no" }).catch(error => error);
  assert.ok(error instanceof RTCError && error instanceof DOMException);
  assert.equal(error.errorDetail, "sdp-syntax-error");
});

test("a promise that is pending when its connection closes stays so", async context => {
  const [pc] = twoPeers(context);
  const settled = pc.setLocalDescription().then(
    () => "settled",
    () => "settled",
  );
  pc.close();
  const later = new Promise(resolve => setTimeout(resolve, 50, "pending"));
  assert.equal(await Promise.race([settled, later]), "pending");
});

test("statistics tell which path is in use", async context => {
  const [a, b] = twoPeers(context);
  const [ours, theirs] = await openChannels(a, b);
  ours.send("12345");
  await received(theirs, 1);
  const report = await b.getStats();
  assert.ok(report instanceof RTCStatsReport);
  const of = type => [...report.values()].find(stats => stats.type === type);
  for (const [id, stats] of report) assert.equal(stats.id, id);
  const { selectedCandidatePairId, bytesReceived } = of("transport");
  const { localCandidateId, nominated } = report.get(selectedCandidatePairId);
  assert.equal(nominated, true);
  assert.equal(report.get(localCandidateId).type, "local-candidate");
  assert.equal(typeof bytesReceived, "number");
  const { label, messagesReceived } = of("data-channel");
  assert.deepEqual([label, messagesReceived, of("data-channel").bytesReceived], ["channel", 1, 5]);
  const { timestamp } = of("peer-connection");
  assert.ok(Math.abs(timestamp - Date.now()) < 5000, `${timestamp}`);
});

test("statistics are those of one sender or receiver, or of the connection", async context => {
  const [pc] = twoPeers(context);
  const { sender, receiver } = pc.addTransceiver("audio");
  assert.equal((await pc.getStats(receiver.track)).size, 0);
  assert.equal((await sender.getStats()).size, 0);
  assert.equal((await receiver.getStats()).size, 0);
  const other = twoPeers(context)[0].addTransceiver("audio").receiver.track;
  await assert.rejects(pc.getStats(other), { name: "InvalidAccessError" });
  await assert.rejects(pc.getStats({}), TypeError);
});

test("closing does not keep statistics back", async context => {
  const [pc] = twoPeers(context);
  const pending = pc.getStats();
  pc.close();
  for (const report of [await pending, await pc.getStats()]) {
    assert.deepEqual(
      [...report.values()].map(stats => stats.type),
      ["peer-connection"],
    );
  }
});

test("microtasks run between the events of one operation", async context => {
  const [a, b] = twoPeers(context);
  await a.setLocalDescription();
  const order = [];
  a.onsignalingstatechange = () => {
    order.push(a.signalingState);
    queueMicrotask(() => order.push("microtask"));
  };
  await a.setRemoteDescription(await b.createOffer());
  order.push("resolved");
  assert.deepEqual(order, ["stable", "microtask", "have-remote-offer", "microtask", "resolved"]);
});

test("a promise's reactions run before the next task", async context => {
  const [a, b] = twoPeers(context);
  a.addTransceiver("audio");
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  // The answer does not negotiate it: another task follows, which fires negotiationneeded.
  a.addTransceiver("video");
  const order = [];
  a.onnegotiationneeded = () => order.push("negotiationneeded");
  const needed = nextEvent(a, "negotiationneeded");
  await a.setRemoteDescription(b.localDescription);
  order.push("applied");
  await needed;
  assert.deepEqual(order, ["applied", "negotiationneeded"]);
});
