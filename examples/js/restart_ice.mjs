// A call whose ICE is restarted while messages go both ways, and none is lost: the WebRTC sample
// "peerconnection/restart-ice", without the pictures. Restarts are asked by one peer, by the
// other, and by both at once.
import { negotiatePerfectly } from "./negotiator.mjs";
import { check, iceConnected, nextEvent, until } from "./peers.mjs";

const INTERVAL_MS = 5;
const RESTARTS = [["first"], ["second"], ["first", "second"]];

/** Resolves with what was seen; `log` is called with lines for people. */
export async function run(log) {
  const { port1, port2 } = new MessageChannel();
  const failures = [];
  const failed = error => failures.push(error);
  const first = new RTCPeerConnection();
  const second = new RTCPeerConnection();
  const peers = { first, second };
  negotiatePerfectly(first, port1, { polite: false, failed });
  negotiatePerfectly(second, port2, { polite: true, failed });
  let traffic;
  try {
    const channel = first.createDataChannel("numbers");
    const { channel: other } = await nextEvent(second, "datachannel");
    await until(() => channel.readyState === "open", [[channel, "open"]]);
    traffic = [new Traffic(channel, other), new Traffic(other, channel)];
    await iceConnected(first, second);
    log("connected");

    const transport = first.sctp.transport;
    const restarts = [];
    for (const askedBy of RESTARTS) {
      const before = [ufrag(first), ufrag(second)];
      for (const name of askedBy) peers[name].restartIce();
      await restarted([first, second], before, failures);
      if (failures.length) throw failures[0];
      await iceConnected(first, second);
      await Promise.all(traffic.map(one => one.goesOn()));
      log(
        `restarted by ${askedBy.join(" and ")}: ${before} became ${[ufrag(first), ufrag(second)]}`,
      );
      restarts.push({
        askedBy,
        channel: channel.readyState,
        sameTransport: first.sctp.transport === transport,
      });
    }

    await Promise.all(traffic.map(one => one.finish()));
    const lost = traffic.map(({ sent, received }) => sent - received);
    log(`${traffic.map(({ sent }) => sent).join(" and ")} messages, ${lost.join(" and ")} lost`);
    check(
      traffic.every(({ disorder }) => disorder === 0),
      "messages arrive in order, once",
    );
    return { restarts, lost, states: [first, second].map(pc => pc.connectionState) };
  } finally {
    for (const one of traffic ?? []) one.stop();
    first.close();
    second.close();
    port1.close();
    port2.close();
  }
}

const ufrag = pc => /a=ice-ufrag:(\S+)/.exec(pc.currentLocalDescription.sdp)[1];

/** Both peers have new credentials, and nothing is being negotiated. */
function restarted(peers, before, failures) {
  const done = () =>
    failures.length ||
    peers.every((pc, index) => pc.signalingState === "stable" && ufrag(pc) !== before[index]);
  return until(
    done,
    peers.map(pc => [pc, "signalingstatechange"]),
  );
}

/** Numbered messages from one channel to another. */
class Traffic {
  sent = 0;
  received = 0;
  disorder = 0;

  constructor(from, to) {
    this.from = from;
    this.to = to;
    to.addEventListener("message", ({ data }) => {
      if (Number(data) !== this.received) this.disorder += 1;
      this.received += 1;
    });
    this.timer = setInterval(() => this.#send(), INTERVAL_MS);
  }

  #send() {
    this.from.send(String(this.sent));
    this.sent += 1;
  }

  /** What is sent now arrives. */
  goesOn() {
    const goal = this.sent + 1;
    return until(() => this.received >= goal, [[this.to, "message"]]);
  }

  finish() {
    this.stop();
    return until(() => this.received >= this.sent, [[this.to, "message"]]);
  }

  stop() {
    clearInterval(this.timer);
  }
}
