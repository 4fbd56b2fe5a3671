#!/usr/bin/env bash
# Chromium 156 and Firefox 153 (Debian's chromium and firefox-esr): when the first section of a BUNDLE
# group is rejected, both sides discard the transport, and begin another one for the next section,
# with a DTLS handshake of its own. The ICE credentials stay the same. RFC 9143 §7.5.3 has the
# transport go on.
#
# Two connections of one page, each with audio, video and an idle data channel; the first transceiver
# of one of them is stopped.
#
# Seen: other object true, same credentials true, old transport closed, channel open (Chromium) or
# closed (Firefox).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in chromium firefox-esr python3; do
    dpkg-query -W "$package" >/dev/null 2>&1 || apt-get install -y -qq "$package" >/dev/null
done
[[ $(chromium --version) == *' 156.'* ]] || { echo "this is about Chromium 156" >&2; exit 1; }
[[ $(firefox-esr --version) == *' 153.'* ]] || { echo "this is about Firefox 153" >&2; exit 1; }

cat > page.html <<'END'
<!doctype html>
<script>
const wait = time => new Promise(resolve => setTimeout(resolve, time));

async function negotiate(a, b) {
  for (const [from, to] of [[a, b], [b, a]]) {
    await from.setLocalDescription();
    await wait(1000); // There is no server: the candidates are in the description by then.
    await to.setRemoteDescription(from.localDescription);
  }
}

const credentials = pc => /a=ice-ufrag:(\S+)/.exec(pc.localDescription.sdp.split("m=video")[1])[1];

(async () => {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.addTransceiver("audio");
  a.addTransceiver("video");
  const channel = a.createDataChannel("x");
  await negotiate(a, b);
  while (channel.readyState !== "open") await wait(50);
  const before = [a, b].map(pc => [pc.sctp.transport, credentials(pc)]);
  a.getTransceivers()[0].stop();
  await negotiate(a, b);
  while ([a, b].some(pc => pc.sctp.transport.state !== "connected")) await wait(50);
  await wait(1000);
  const other = [a, b].every((pc, i) => pc.sctp.transport !== before[i][0]);
  const same = [a, b].every((pc, i) => credentials(pc) === before[i][1]);
  const states = new Set(before.map(([transport]) => transport.state));
  return `other object ${other}, same credentials ${same}, `
    + `old transport ${[...states].join(" ")}, channel ${channel.readyState}`;
})().catch(String).then(seen => fetch("/end", { method: "POST", body: seen }));
</script>
END
cat > serve.py <<'END'
import http.server, os, subprocess, sys, threading

class Page(http.server.SimpleHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["content-length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()
        threading.Thread(target=server.shutdown).start()
    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
address = f"http://127.0.0.1:{server.server_port}/page.html"
profile = f"{os.getcwd()}/{sys.argv[1]}"
os.mkdir(profile)
if sys.argv[1] == "chromium":
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
               "--allow-loopback-in-peer-connection",
               "--disable-features=WebRtcHideLocalIpsWithMdns", f"--user-data-dir={profile}"]
else:
    with open(f"{profile}/user.js", "w") as preferences:
        print('user_pref("media.peerconnection.ice.loopback", true);', file=preferences)
        print('user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);',
              file=preferences)
    command = ["firefox-esr", "--headless", "--no-remote", "--profile", profile]
environment = dict(os.environ, HOME=profile, MOZ_DISABLE_CONTENT_SANDBOX="1")
browser = subprocess.Popen([*command, address], env=environment, start_new_session=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    server.serve_forever()
finally:
    os.killpg(browser.pid, 9)
END
for browser in chromium firefox; do
    timeout 120 python3 serve.py "$browser" | tee "$browser.txt"
done
seen='other object true, same credentials true, old transport closed, channel'
grep -qx "$seen open" chromium.txt
grep -qEx "$seen (closed|closing)" firefox.txt
