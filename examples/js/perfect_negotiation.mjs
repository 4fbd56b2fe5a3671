// Two peers that change what they send, both at once, again and again: the WebRTC sample
// "peerconnection/perfect-negotiation". Each has two transceivers for pictures and sends with one
// of them; a swap sends with the other one. When both swap at once their offers cross, and the
// polite one gives way. No picture is needed to negotiate.
import { negotiatePerfectly } from "./negotiator.mjs";
import { check, iceConnected, until } from "./peers.mjs";

const ROUNDS = 5;

/** Resolves with what was seen; `log` is called with lines for people. */
export async function run(log) {
  return {
    firstIsPolite: await call([true, false], log),
    secondIsPolite: await call([false, true], log),
  };
}

async function call(polite, log) {
  const { port1, port2 } = new MessageChannel();
  const failures = [];
  const failed = error => failures.push(error);
  const parties = [port1, port2].map((port, index) => {
    const pc = new RTCPeerConnection();
    const counts = negotiatePerfectly(pc, port, { polite: polite[index], failed });
    return { pc, port, counts, transceivers: [] };
  });
  const changes = parties.map(({ pc }) => [pc, "signalingstatechange"]);
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const party of parties) swap(party);
      await until(() => failures.length || parties.every(isNegotiated), changes);
      if (failures.length) throw failures[0];
      log(`round ${round}: ${parties.map(describe).join("; ")}`);
    }
    await iceConnected(...parties.map(({ pc }) => pc));
    log("connected");

    const [yielding, insisting] = polite[0] ? parties : [...parties].reverse();
    check(yielding.counts.yielded >= ROUNDS, "the polite peer gives way each time");
    check(insisting.counts.ignored >= ROUNDS, "the impolite peer ignores the other's offers");
    return {
      ignoredByThePolite: yielding.counts.ignored,
      yieldedByTheImpolite: insisting.counts.yielded,
      transceivers: parties.map(({ pc }) => pc.getTransceivers().length),
      sending: parties.map(({ transceivers }) => transceivers.map(one => one.currentDirection)),
      states: parties.map(({ pc }) => pc.signalingState),
    };
  } finally {
    for (const { pc, port } of parties) {
      pc.close();
      port.close();
    }
  }
}

/** Sends with the other transceiver; the first time makes them. */
function swap(party) {
  if (!party.transceivers.length) {
    party.transceivers = ["sendonly", "inactive"].map(direction =>
      party.pc.addTransceiver("video", { direction }),
    );
  } else {
    const directions = party.transceivers.map(({ direction }) => direction).reverse();
    party.transceivers.forEach((one, index) => (one.direction = directions[index]));
  }
}

/** What it wants is what has been agreed on. */
const isNegotiated = ({ pc, transceivers }) =>
  pc.signalingState === "stable" &&
  transceivers.every(({ direction, currentDirection }) => direction === currentDirection);

const describe = ({ transceivers, counts }) =>
  `${transceivers.map(({ mid, currentDirection }) => `${mid} ${currentDirection}`).join(", ")}` +
  ` (yielded ${counts.yielded}, ignored ${counts.ignored})`;
