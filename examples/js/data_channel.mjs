// Two peers, a data channel, text through it, and its end: the WebRTC sample "datachannel/basic".
import { check, exchangeCandidates, negotiate, nextEvent, until } from "./peers.mjs";

const TEXTS = ["hello", "", "τί ἐστιν; 🙂", "x".repeat(16_000)];

/** Resolves with what was seen; `log` is called with lines for people. */
export async function run(log) {
  const local = new RTCPeerConnection();
  const remote = new RTCPeerConnection();
  try {
    exchangeCandidates(local, remote);
    const sending = local.createDataChannel("sendDataChannel");
    const states = [sending.readyState];
    const announced = nextEvent(remote, "datachannel");
    await negotiate(local, remote);

    const { channel: receiving } = await announced;
    const received = [];
    receiving.addEventListener("message", ({ data }) => received.push(data));
    log(`the other peer has got a channel "${receiving.label}"`);
    await until(() => sending.readyState === "open", [[sending, "open"]]);
    states.push(sending.readyState);

    for (const text of TEXTS) sending.send(text);
    await until(() => received.length === TEXTS.length, [[receiving, "message"]]);
    for (const text of received) log(`received ${JSON.stringify(text.slice(0, 40))}`);
    check(
      TEXTS.every((text, index) => text === received[index]),
      "all arrives, in order",
    );

    const closed = Promise.all([nextEvent(sending, "close"), nextEvent(receiving, "close")]);
    sending.close();
    states.push(sending.readyState);
    await closed;
    states.push(sending.readyState);
    log(`the channel was ${states.join(", ")}`);
    return {
      label: receiving.label,
      ordered: receiving.ordered,
      received: received.map(text => text.length),
      states,
      receiving: receiving.readyState,
    };
  } finally {
    local.close();
    remote.close();
  }
}
