#!/usr/bin/env bash
# Chromium 156 (Debian's chromium): a sender that is inactive for a while has to go on announcing its
# `a=ssrc` lines. If they are gone from the inactive section and come back with the same SSRC, the
# receiver decodes every picture, its track is not muted, and a video element shows none of them.
# Chromium itself leaves the lines in. RFC 5576 says nothing of that, nor does RFC 9429, by which an
# inactive section needs none.
#
# Two connections of one page: a canvas is sent, the direction is inactive and then sendrecv again.
#
# Seen: 5 lines, left in the inactive offer: pictures decoded and shown.
# 5 lines, taken out of it: pictures decoded, none shown, muted false.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in chromium python3; do
    dpkg-query -W "$package" >/dev/null 2>&1 || apt-get install -y -qq "$package" >/dev/null
done
[[ $(chromium --version) == *' 156.'* ]] || { echo "this is about Chromium 156" >&2; exit 1; }

cat > page.html <<'END'
<!doctype html>
<video autoplay muted playsinline></video>
<script>
const wait = time => new Promise(resolve => setTimeout(resolve, time));

async function negotiate(a, b, change) {
  for (const [from, to] of [[a, b], [b, a]]) {
    await from.setLocalDescription();
    while (from.iceGatheringState !== "complete") await wait(20);
    const { type, sdp } = from.localDescription;
    await to.setRemoteDescription({ type, sdp: from === a ? change(sdp) : sdp });
  }
}

async function run(without) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  let hue = 0;
  const painting = setInterval(() => {
    context.fillStyle = `hsl(${(hue += 7) % 360} 90% 50%)`;
    context.fillRect(0, 0, 320, 240);
  }, 50);
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.addTrack(canvas.captureStream(20).getVideoTracks()[0]);
  const video = document.querySelector("video");
  let shown = 0;
  b.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
  const count = () => { shown++; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  const decoded = async () => {
    const report = await b.getReceivers()[0].getStats();
    const streams = [...report.values()].filter(({ type }) => type === "inbound-rtp");
    return streams.reduce((sum, { framesDecoded = 0 }) => sum + framesDecoded, 0);
  };
  const same = sdp => sdp;
  await negotiate(a, b, same);
  while (shown < 20) await wait(50);
  const [transceiver] = a.getTransceivers();
  transceiver.direction = "inactive";
  let lines = 0;
  await negotiate(a, b, sdp => {
    lines = (sdp.match(/a=ssrc/g) ?? []).length;
    return without ? sdp.replace(/a=ssrc[^\n]*\n/g, "") : sdp;
  });
  await wait(1000);
  transceiver.direction = "sendrecv";
  await negotiate(a, b, same);
  await wait(1000);
  const [before, decodedBefore] = [shown, await decoded()];
  await wait(3000);
  const what = `${lines} lines, ${without ? "taken out" : "left"}`;
  const pictures = `${(await decoded()) - decodedBefore} decoded, ${shown - before} shown`;
  const result = `${what}: ${pictures}, muted ${b.getReceivers()[0].track.muted}`;
  clearInterval(painting); a.close(); b.close();
  return result;
}
(async () => {
  const seen = [];
  for (const without of [false, true]) seen.push(await run(without).catch(e => String(e)));
  await fetch("/end", { method: "POST", body: seen.join("\n") });
})();
</script>
END
cat > serve.py <<'END'
import http.server, os, subprocess, threading

class Page(http.server.SimpleHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["content-length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()
        if self.path == "/end":
            threading.Thread(target=server.shutdown).start()
    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
address = f"http://127.0.0.1:{server.server_port}/page.html"
browser = subprocess.Popen(
    ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
     "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={os.getcwd()}/profile", address],
    stderr=subprocess.DEVNULL)
try:
    server.serve_forever()
finally:
    browser.kill()
END
timeout 120 python3 serve.py | tee seen.txt
[[ $(wc -l < seen.txt) == 2 ]]
grep -Eq '^[1-9][0-9]* lines, left: [1-9][0-9]* decoded, [1-9][0-9]* shown, muted false$' seen.txt
grep -Eq '^[1-9][0-9]* lines, taken out: [1-9][0-9]* decoded, 0 shown, muted false$' seen.txt
