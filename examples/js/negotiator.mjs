// Perfect negotiation (webrtc-pc §10.7): both peers run this and may change anything at any time.

/**
 * Negotiates for `pc` through `port`, a MessagePort whose other end the peer has. `counts` tells
 * of glare: how often an offer of the peer was `ignored`, how often one of its own was `yielded`.
 */
export function negotiatePerfectly(pc, port, { polite, failed }) {
  const counts = { offers: 0, answers: 0, ignored: 0, yielded: 0 };
  let makingOffer = false;
  let ignoringOffer = false;
  let answerPending = false;

  pc.addEventListener("icecandidate", ({ candidate }) => {
    port.postMessage({ candidate: candidate && candidate.toJSON() });
  });

  pc.addEventListener("negotiationneeded", async () => {
    try {
      makingOffer = true;
      await pc.setLocalDescription();
      counts.offers += 1;
      port.postMessage({ description: pc.localDescription.toJSON() });
    } catch (error) {
      failed(error);
    } finally {
      makingOffer = false;
    }
  });

  async function described(description) {
    // While an answer is applied the connection is as good as stable: it will be, when it is the
    // offer's turn on the operations chain.
    const ready = !makingOffer && (pc.signalingState === "stable" || answerPending);
    const glare = description.type === "offer" && !ready;
    ignoringOffer = glare && !polite;
    if (ignoringOffer) {
      counts.ignored += 1;
      return;
    }
    if (glare) counts.yielded += 1;
    answerPending = description.type === "answer";
    await pc.setRemoteDescription(description);
    answerPending = false;
    if (description.type === "answer") return;
    await pc.setLocalDescription();
    counts.answers += 1;
    port.postMessage({ description: pc.localDescription.toJSON() });
  }

  async function candidateCame(candidate) {
    try {
      await pc.addIceCandidate(candidate);
    } catch (error) {
      // Those of an offer that was ignored fit nothing.
      if (!ignoringOffer) throw error;
    }
  }

  port.onmessage = ({ data: { description, candidate } }) => {
    if (pc.signalingState === "closed") return;
    (description ? described(description) : candidateCame(candidate)).catch(failed);
  };
  return counts;
}
