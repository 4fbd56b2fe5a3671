// Sources of tracks, for implementations that can make a track and no more.

export function devicesOf(createTrack) {
  return {
    async getUserMedia({ audio, video } = {}) {
      if (!audio && !video) throw new TypeError("neither audio nor video");
      if (!createTrack) throw new DOMException("no media devices", "NotFoundError");
      const { width = 640, height = 480 } = video ?? {};
      return new MediaStream([
        ...(audio ? [createTrack("audio", {})] : []),
        ...(video ? [createTrack("video", { width, height })] : []),
      ]);
    },
    async enumerateDevices() {
      return [];
    },
  };
}

/** As much of the Web Audio API as makes an audio track. */
export function audioContextOf(createTrack) {
  class MediaStreamAudioDestinationNode {
    stream = new MediaStream([createTrack("audio", {})]);
  }

  const node = () => ({
    connect: to => to,
    disconnect() {},
    start() {},
    stop() {},
    frequency: { value: 0 },
    gain: { value: 0 },
  });

  class AudioContext {
    state = "running";
    destination = {};
    createOscillator = node;
    createGain = node;
    createMediaStreamSource = node;

    createMediaStreamDestination() {
      return new MediaStreamAudioDestinationNode();
    }

    async resume() {}

    async close() {}
  }
  return { MediaStreamAudioDestinationNode, AudioContext };
}
