// One call of a page: an offer by POST, the answer back. `role` tells the server what it is for.

/** Connects, and returns the connection. Media of the server goes to `video`. */
export async function call(role, { send = [], receive = [], video, configure = () => {} }) {
  const pc = new RTCPeerConnection();
  for (const track of send) pc.addTrack(track);
  for (const kind of receive) pc.addTransceiver(kind, { direction: "recvonly" });
  configure(pc);
  if (video) {
    // For those who look at tabs, and for tests.
    video.onplaying = () => {
      document.title = `playing ${video.videoWidth}x${video.videoHeight}`;
    };
    const stream = new MediaStream();
    pc.ontrack = ({ track }) => {
      stream.addTrack(track);
      video.srcObject = stream;
    };
  }
  await pc.setLocalDescription();
  await gathered(pc);
  const response = await fetch(`/offer/${role}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(pc.localDescription),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  await pc.setRemoteDescription(await response.json());
  return pc;
}

/** Camera and microphone, or, where there are none, a clock that ticks and a tone. */
export async function media() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    return stream.getTracks();
  } catch {
    return [picture(), tone()];
  }
}

function picture() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  const draw = () => {
    const hue = (performance.now() / 20) % 360;
    context.fillStyle = `hsl(${hue} 80% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = "white";
    context.font = "32px sans-serif";
    context.fillText(new Date().toLocaleTimeString(), 20, 60);
  };
  draw();
  setInterval(draw, 40);
  return canvas.captureStream(25).getVideoTracks()[0];
}

function tone() {
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const destination = context.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  return destination.stream.getAudioTracks()[0];
}

/** Resolves when the description has all candidates. */
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise(resolve => {
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState === "complete") resolve();
    });
  });
}
