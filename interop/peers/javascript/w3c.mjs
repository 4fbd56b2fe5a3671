// A peer with the W3C API: `w3c.mjs PACKAGE`, PACKAGE one of @roamhq/wrtc and werift.
import { isEchoed, load, serve, tell } from "./lines.mjs";

const [name] = process.argv.slice(2);
const {
  library: { RTCPeerConnection },
  version,
} = load(name);

const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
const channels = new Map();

function watch(channel) {
  const { label } = channel;
  channels.set(label, channel);
  channel.binaryType = "arraybuffer";
  channel.onopen = () => tell({ event: "open", label });
  channel.onclose = () => tell({ event: "close", label });
  channel.onmessage = ({ data }) => {
    if (isEchoed(label)) channel.send(data);
    else tell({ event: "message", label, text: String(data) });
  };
  // Neither package fires `open` for a channel that is open from the start.
  if (channel.readyState === "open") tell({ event: "open", label });
}

pc.onicecandidate = ({ candidate }) => {
  tell({ event: "candidate", candidate: candidate ? plain(candidate) : null });
};
pc.onconnectionstatechange = () => tell({ event: "state", state: pc.connectionState });
pc.oniceconnectionstatechange = () => tell({ event: "ice", state: pc.iceConnectionState });
pc.ondatachannel = ({ channel }) => {
  tell({ event: "channel", label: channel.label });
  watch(channel);
};
pc.ontrack = ({ track }) => tell({ event: "track", kind: track.kind });

function plain({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}

await serve({
  version: () => ({ name, version }),
  channel: ({ label }) => watch(pc.createDataChannel(label)),
  media: () => {
    for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "sendrecv" });
  },
  offer: async ({ restart }) => {
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: restart }));
    return { sdp: pc.localDescription.sdp };
  },
  answer: async ({ sdp }) => {
    await pc.setRemoteDescription({ type: "offer", sdp });
    await pc.setLocalDescription(await pc.createAnswer());
    return { sdp: pc.localDescription.sdp };
  },
  accept: ({ sdp }) => pc.setRemoteDescription({ type: "answer", sdp }),
  candidate: ({ candidate }) => pc.addIceCandidate(candidate ?? undefined),
  send: ({ label, text }) => channels.get(label).send(text),
  close: ({ label }) => channels.get(label).close(),
  end: async () => {
    await pc.close();
  },
});
