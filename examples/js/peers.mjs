// What the examples have in common: waiting for events, and signaling between two peers in one
// program.

/** The next event of that type, as a promise. */
export const nextEvent = (target, type) =>
  new Promise(resolve => target.addEventListener(type, resolve, { once: true }));

/** Waits until `condition()` holds; it is looked at again after each event of a target. */
export async function until(condition, targets) {
  while (!condition()) {
    await Promise.race(targets.map(([target, type]) => nextEvent(target, type)));
  }
}

/** Both peers are connected, as far as ICE is concerned. */
export async function iceConnected(...peers) {
  for (const pc of peers) {
    const connected = () => ["connected", "completed"].includes(pc.iceConnectionState);
    await until(connected, [[pc, "iceconnectionstatechange"]]);
  }
}

/** Gives the candidates of each peer to the other one. */
export function exchangeCandidates(pc1, pc2) {
  pc1.addEventListener("icecandidate", ({ candidate }) => pc2.addIceCandidate(candidate));
  pc2.addEventListener("icecandidate", ({ candidate }) => pc1.addIceCandidate(candidate));
}

/** One offer and its answer. */
export async function negotiate(offerer, answerer) {
  await offerer.setLocalDescription();
  await answerer.setRemoteDescription(offerer.localDescription);
  await answerer.setLocalDescription();
  await offerer.setRemoteDescription(answerer.localDescription);
}

/** The example shows what it says it shows, or it fails. */
export function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
}
