// Connections that wait for nothing do not keep a process alive.
import { RTCPeerConnection } from "peerconnection";

import { connect } from "./peers.mjs";

const idle = new RTCPeerConnection();
idle.onnegotiationneeded = idle.ondatachannel = () => {};

const described = new RTCPeerConnection();
described.createDataChannel("nobody answers");
await described.setLocalDescription();

const { a, b } = await connect();
a.close();
b.close();
console.log("end of program");
