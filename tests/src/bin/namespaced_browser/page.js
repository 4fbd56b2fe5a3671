// The peer of `tests::namespaced` in a browser: it takes the same commands and tells the same
// things as `namespaced_peer`, in the same form.

/** The pause between two messages, in milliseconds. */
const PAUSE = 20;
/** A longer time between two messages is told, in milliseconds. */
const SILENCE = 100;

const socket = new WebSocket(`ws://${location.host}/socket`);
/** The connection of this page. */
let peer;

socket.onmessage = ({ data }) => {
  const command = JSON.parse(data);
  if (command === "restart") peer.pc.restartIce();
  else if (command === "stop") peer.stop();
  else if ("signal" in command) peer.signal(command.signal);
  else if ("start" in command) {
    peer?.close();
    peer = new Peer(command.start);
  } else tell("fault", `an unknown command: ${data}`);
};

function tell(what, value) {
  socket.send(JSON.stringify({ [what]: value ?? null }));
}

class Peer {
  #polite;
  #makingOffer = false;
  #ignoringOffer = false;
  #applyingAnswer = false;
  #received = 0;
  #last = null;
  #sent = 0;

  constructor({ polite, configuration }) {
    const pc = new RTCPeerConnection(configuration);
    this.pc = pc;
    this.#polite = polite;
    pc.oniceconnectionstatechange = () => tell("ice", pc.iceConnectionState);
    pc.onconnectionstatechange = () => tell("connection", pc.connectionState);
    pc.onicecandidateerror = error => this.#tellError(error);
    pc.onicecandidate = ({ candidate }) => this.#onCandidate(candidate);
    pc.onnegotiationneeded = () => this.#offer();
    if (polite) pc.ondatachannel = ({ channel }) => this.#converse(channel);
    else this.#converse(pc.createDataChannel("numbers"));
    this.watcher = setInterval(() => this.#watchPair(), 100);
  }

  close() {
    clearInterval(this.watcher);
    clearInterval(this.timer);
    this.pc.close();
  }

  // What happens on the way to the peer.

  #tellError({ url, errorCode, errorText, address, port }) {
    tell("serverError", { url, code: errorCode, text: errorText, address, port });
  }

  #onCandidate(candidate) {
    tell("signal", { candidate });
    if (!candidate?.candidate) {
      if (!candidate) tell("gathered");
      return;
    }
    const { type, protocol, relayProtocol, url, priority, address, port } = candidate;
    const { relatedAddress, relatedPort, tcpType } = candidate;
    tell("candidate", {
      type,
      protocol,
      tcp_type: tcpType ?? null,
      relay_protocol: relayProtocol ?? null,
      url: url ?? null,
      priority,
      address,
      port,
      related_address: relatedAddress ?? null,
      related_port: relatedPort ?? null,
    });
  }

  /** Firefox has no event for the selected pair. */
  async #watchPair() {
    const stats = await this.pc.getStats();
    if (this.pc.signalingState === "closed") return;
    const all = [...stats.values()];
    const { selectedCandidatePairId: id } = all.find(({ type }) => type === "transport") ?? {};
    const pair = id ? stats.get(id) : all.find(({ selected }) => selected);
    if (!pair) return;
    const end = id => {
      const { candidateType, address, relayProtocol } = stats.get(id);
      return {
        type: candidateType,
        address: address ?? "",
        relay_protocol: relayProtocol ?? null,
      };
    };
    const ends = { local: end(pair.localCandidateId), remote: end(pair.remoteCandidateId) };
    const name = JSON.stringify([pair.localCandidateId, pair.remoteCandidateId, ends]);
    if (name !== this.pair) tell("pair", ends);
    this.pair = name;
  }

  // Numbered messages.

  #converse(channel) {
    channel.onmessage = ({ data }) => this.#take(data);
    channel.onerror = ({ error }) => tell("fault", `the channel: ${error}`);
    const open = () => {
      tell("open");
      this.timer = setInterval(() => {
        try {
          channel.send(String(this.#sent));
          this.#sent++;
        } catch (error) {
          tell("fault", `a message could not be sent: ${error}`);
        }
      }, PAUSE);
    };
    if (channel.readyState === "open") open();
    else channel.onopen = open;
  }

  #take(message) {
    if (message !== String(this.#received)) {
      tell("fault", `${message} came instead of ${this.#received}`);
    }
    const now = performance.now();
    const silence = Math.round(now - (this.#last ?? now));
    if (silence > SILENCE) tell("silence", silence);
    this.#last = now;
    this.#received++;
    tell("received", this.#received);
  }

  stop() {
    clearInterval(this.timer);
    tell("sent", this.#sent);
  }

  // webrtc-pc §10.7, Perfect Negotiation.

  async #offer() {
    try {
      this.#makingOffer = true;
      await this.pc.setLocalDescription();
      tell("signal", { description: this.pc.localDescription });
    } catch (error) {
      tell("fault", `the offer: ${error}`);
    } finally {
      this.#makingOffer = false;
    }
  }

  async signal({ description, candidate }) {
    // Until a candidate fails an answer may have come.
    const ignored = this.#ignoringOffer;
    const { pc } = this;
    try {
      if (!description) return await pc.addIceCandidate(candidate);
      const stable = pc.signalingState === "stable" || this.#applyingAnswer;
      const collision = description.type === "offer" && (this.#makingOffer || !stable);
      this.#ignoringOffer = !this.#polite && collision;
      if (this.#ignoringOffer) return;
      this.#applyingAnswer = description.type === "answer";
      try {
        await pc.setRemoteDescription(description);
      } finally {
        this.#applyingAnswer = false;
      }
      if (description.type === "offer") {
        await pc.setLocalDescription();
        tell("signal", { description: pc.localDescription });
      }
    } catch (error) {
      if (description || !ignored)
        tell("fault", `the ${description?.type ?? "candidate"}: ${error}`);
    }
  }
}
