// How fast messages go through one channel, both peers in this process: one JSON line for each size
// of message. The twin of `bench throughput` in Rust, with the same limits, so that the two can be
// compared.
import { RTCPeerConnection } from "../lib/index.mjs";

// The sender fills `bufferedAmount` up to HIGH bytes, and goes on when it has fallen to LOW.
const HIGH = 2 << 20;
const LOW = 512 << 10;
const WARM_UP = 8;

const MEASURES = [
  { name: "throughput_64KiB", size: 64 << 10, total: 1 << 30 },
  { name: "throughput_1KiB", size: 1 << 10, total: 512 << 20 },
  { name: "messages_100B", size: 100, total: 64 << 20 },
];

async function connect() {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
  const [to, from] = [a, b].map(pc => pc.createDataChannel("bench", { negotiated: true, id: 0 }));
  const open = Promise.all(
    [to, from].map(channel => new Promise(resolve => (channel.onopen = resolve))),
  );
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  await open;
  return { a, b, to, from };
}

async function phase({ to, from }, message, total) {
  let received = 0;
  let sent = 0;
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const done = new Promise(resolve => {
    from.onmessage = ({ data }) => {
      received += data.byteLength;
      if (received >= total) resolve();
    };
  });
  to.bufferedAmountLowThreshold = LOW;
  const fill = () => {
    while (sent < total && to.bufferedAmount + message.length <= HIGH) {
      to.send(message);
      sent += message.length;
    }
  };
  to.onbufferedamountlow = fill;
  fill();
  await done;
  const { user, system } = process.cpuUsage(cpu);
  return {
    seconds: (performance.now() - start) / 1e3,
    cpu: (user + system) / 1e6,
    bytes: received,
  };
}

const chosen = process.argv.slice(2);
for (const { name, size, total } of MEASURES) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const pair = await connect();
  const message = new Uint8Array(size).fill(7);
  await phase(pair, message, total / WARM_UP);
  const { seconds, cpu, bytes } = await phase(pair, message, total);
  pair.a.close();
  pair.b.close();
  console.log(
    JSON.stringify({
      measure: name,
      MBps: +(bytes / 1e6 / seconds).toFixed(1),
      messages_per_s: Math.round(bytes / size / seconds),
      cpu_s_per_GiB: +(cpu / (bytes / 2 ** 30)).toFixed(2),
      secs: +seconds.toFixed(2),
    }),
  );
}
