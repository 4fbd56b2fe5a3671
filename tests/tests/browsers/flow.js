// What a page shows and plays to the scenarios in `browsers/flow`, and what it sees and hears.

/** A track whose pictures have one colour, `colour`, which may change. */
class Painting {
  constructor(colour, width = 320, height = 240) {
    this.colour = colour;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    let count = 0;
    const paint = () => {
      context.fillStyle = this.colour;
      context.fillRect(0, 0, width, height);
      // No picture is like the one before it.
      context.fillStyle = "gray";
      context.fillRect((count++ % 16) * 4, 0, 4, 4);
    };
    paint();
    this.timer = setInterval(paint, 50);
    this.track = canvas.captureStream(20).getVideoTracks()[0];
  }
}

/** A track of a tone of 440 Hz. */
async function tone() {
  if (navigator.userAgent.includes("Firefox")) {
    // Without a sound card its AudioContext never runs. Its microphone is a tone.
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return stream.getAudioTracks()[0];
  }
  kept.audio ??= new AudioContext();
  const destination = kept.audio.createMediaStreamDestination();
  const oscillator = new OscillatorNode(kept.audio, { frequency: 440 });
  oscillator.connect(destination);
  oscillator.start();
  return destination.stream.getAudioTracks()[0];
}

const COLOURS = { red: [255, 0, 0], lime: [0, 255, 0], blue: [0, 0, 255], black: [0, 0, 0] };
/** Encoders are not exact. */
const TOLERANCE = 60;

/** Whether something is so before `limit` milliseconds have passed. Says last what there is. */
async function until(look, limit = 15_000) {
  const late = performance.now() + limit;
  for (;;) {
    const { is, seen } = await look();
    if (is) return seen;
    if (performance.now() > late) throw new Error(`after ${limit} ms there is ${seen}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** Waits until the pictures of a received track have this colour in the middle, and this width. */
async function shows(track, colour, width) {
  // A new element each time: one of before may stand still in Chromium once its track has been
  // inactive, while frames are decoded.
  const video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const expected = COLOURS[colour];
  const isExpected = pixel =>
    pixel[3] === 255 && expected.every((value, i) => Math.abs(value - pixel[i]) < TOLERANCE);
  try {
    return await until(() => {
      context.drawImage(video, 0, 0, 16, 16);
      const pixel = [...context.getImageData(8, 8, 1, 1).data];
      const is = isExpected(pixel) && (!width || video.videoWidth === width);
      return { is, seen: `${pixel}, ${video.videoWidth}x${video.videoHeight}` };
    });
  } finally {
    video.srcObject = null;
    video.remove();
  }
}

/** Waits until a received track sounds, with a tone of this many hertz. */
async function sounds(track, frequency) {
  // Browsers decode only what an element plays.
  const element = Object.assign(new Audio(), { muted: true, autoplay: true });
  element.srcObject = new MediaStream([track]);
  element.play().catch(() => {});
  try {
    return await until(async () => {
      const samples = await record(track, 300);
      const loudest = samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
      const risen = samples.filter((sample, i) => sample >= 0 && samples[i - 1] < 0).length;
      const heard = (risen * SAMPLE_RATE) / samples.length;
      const is = loudest > 0.02 && Math.abs(heard - frequency) < 0.1 * frequency;
      return { is, seen: `${heard} Hz, at most ${loudest}` };
    });
  } finally {
    element.srcObject = null;
  }
}

const SAMPLE_RATE = 48_000;

/** The samples of this many milliseconds, without the silence before the first sound. */
async function record(track, duration) {
  const recorder = new MediaRecorder(new MediaStream([track]));
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise(resolve => (recorder.onstop = resolve));
  recorder.start();
  await new Promise(resolve => setTimeout(resolve, duration));
  recorder.stop();
  await stopped;
  const recorded = await new Blob(parts).arrayBuffer();
  const context = new OfflineAudioContext(1, SAMPLE_RATE, SAMPLE_RATE);
  const sound = await context.decodeAudioData(recorded).catch(() => null);
  const samples = sound?.getChannelData(0) ?? new Float32Array();
  return samples.subarray(
    Math.max(
      samples.findIndex(sample => Math.abs(sample) > 0.01),
      0,
    ),
  );
}

/** The track that the page receives in this section. */
function received(mid) {
  return transceiver(mid).receiver.track;
}

/** The statistics as a list. */
async function statistics() {
  return [...(await pc.getStats()).values()];
}
