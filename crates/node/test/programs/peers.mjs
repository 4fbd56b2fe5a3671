// What the programs have in common: two connections with an open channel.
import { RTCPeerConnection } from "peerconnection";

/** Two connections and the channel of the first, open. */
export async function connect() {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
  const channel = a.createDataChannel("channel");
  const open = new Promise(resolve => (channel.onopen = resolve));
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  await open;
  return { a, b, channel };
}

/** Collects garbage until `done()` holds, with pauses in which finalizers run. */
export async function collect(done, rounds = 50) {
  for (let round = 0; round < rounds && !done(); round += 1) {
    globalThis.gc();
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
