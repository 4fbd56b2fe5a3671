// A peer with libdatachannel, by its Node bindings' own API, which negotiates in one step.
import { once, EventEmitter } from "node:events";
import { isEchoed, load, serve, tell } from "./lines.mjs";

const name = "node-datachannel";
const {
  library: { Audio, PeerConnection, Video },
  version,
} = load(name);

const pc = new PeerConnection("peer", { iceServers: [], disableAutoNegotiation: true });
const channels = new Map();
const tracks = [];
const descriptions = new EventEmitter();

function watch(channel) {
  const label = channel.getLabel();
  channels.set(label, channel);
  channel.onOpen(() => tell({ event: "open", label }));
  channel.onClosed(() => tell({ event: "close", label }));
  channel.onMessage(data => {
    if (!isEchoed(label)) tell({ event: "message", label, text: String(data) });
    else if (typeof data === "string") channel.sendMessage(data);
    else channel.sendMessageBinary(Buffer.from(data));
  });
}

pc.onLocalDescription((sdp, type) => descriptions.emit(type, { sdp }));
pc.onLocalCandidate((candidate, sdpMid) =>
  tell({ event: "candidate", candidate: { candidate, sdpMid } }),
);
pc.onGatheringStateChange(state => {
  if (state === "complete") tell({ event: "candidate", candidate: null });
});
pc.onStateChange(state => tell({ event: "state", state }));
pc.onIceStateChange(state => tell({ event: "ice", state }));
pc.onDataChannel(channel => {
  watch(channel);
  tell({ event: "channel", label: channel.getLabel() });
});
pc.onTrack(track => {
  tracks.push(track);
  tell({ event: "track", kind: track.type() });
});

async function localDescription(type) {
  const described = once(descriptions, type, { signal: AbortSignal.timeout(5_000) });
  pc.setLocalDescription(type);
  const [description] = await described;
  return description;
}

await serve({
  version: () => ({ name, version }),
  channel: ({ label }) => watch(pc.createDataChannel(label)),
  media: () => {
    const audio = new Audio("audio", "SendRecv");
    audio.addOpusCodec(111);
    audio.addSSRC(1, "peer", "stream", "audio");
    const video = new Video("video", "SendRecv");
    video.addVP8Codec(96);
    video.addSSRC(2, "peer", "stream", "video");
    tracks.push(pc.addTrack(audio), pc.addTrack(video));
  },
  offer: ({ restart }) => {
    if (restart) throw new Error("there is no ICE restart");
    return localDescription("offer");
  },
  answer: ({ sdp }) => {
    pc.setRemoteDescription(sdp, "offer");
    return localDescription("answer");
  },
  accept: ({ sdp }) => pc.setRemoteDescription(sdp, "answer"),
  candidate: ({ candidate }) => {
    if (candidate?.candidate) pc.addRemoteCandidate(candidate.candidate, candidate.sdpMid);
  },
  send: ({ label, text }) => {
    channels.get(label).sendMessage(text);
  },
  close: ({ label }) => channels.get(label).close(),
  end: () => pc.close(),
});
