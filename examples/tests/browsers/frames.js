// The test's half in a page of an example. The test sends bodies of async functions; they see what
// `flow.js` declares, and `pc` of the page.

const kept = {};
const socket = new WebSocket(`ws://${location.host}/socket/${location.hash.slice(1)}`);
const AsyncFunction = (async () => {}).constructor;

socket.onmessage = async ({ data }) => {
  const { script, args } = JSON.parse(data);
  const answer = await new AsyncFunction("args", script)(args).then(
    value => ({ value: value ?? null }),
    error => ({ error: String(error) }),
  );
  socket.send(JSON.stringify(answer));
};

// The camera shows one colour, which the test chooses; the microphone hears a tone.
const capture = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async constraints => {
  // Firefox makes the tone of its own microphone.
  if (!constraints.video) return capture(constraints);
  kept.painting = new Painting("red");
  return new MediaStream([kept.painting.track, await tone()]);
};

/** Puts another page beside this one. */
function openPage(path) {
  const frame = document.createElement("iframe");
  frame.allow = "camera; microphone; autoplay";
  frame.src = path;
  document.body.append(frame);
}

/** The track of a kind that the page receives, once it is connected. */
async function watched(kind) {
  await until(() => {
    const state = globalThis.pc?.connectionState;
    return { is: state === "connected", seen: state };
  });
  return pc.getReceivers().find(({ track }) => track.kind === kind).track;
}
