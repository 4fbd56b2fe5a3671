#!/usr/bin/env bash
# Firefox 153 (Debian's firefox-esr): once a connection has failed, an ICE restart does not heal it:
# no message arrives any more. A restart of a connection that has not failed loses nothing. (With a
# Chromium as the peer, Firefox goes back to `connected` and sends, but nothing reaches its page.)
#
# Two connections of one page, in a network namespace whose UDP is dropped for 40 s. Needs root.
#
# Seen: connected connected, restarted: 100 of 100 messages.
# After the outage: failed failed, restarted: 0 of 100 messages.
set -euo pipefail
folder=$(mktemp -d)
space=finding-$$
trap 'ip netns pids "$space" | xargs -r kill -KILL; sleep 1; ip netns delete "$space"; rm -rf "$folder"' EXIT
cd "$folder"
for package in firefox-esr iproute2 nftables python3; do
    dpkg-query -W "$package" >/dev/null 2>&1 || apt-get install -y -qq "$package" >/dev/null
done
[[ $(firefox-esr --version) == *' 153.'* ]] || { echo "this is about Firefox 153" >&2; exit 1; }
ip netns add "$space"
ip -n "$space" link set lo up
# Firefox leaves loopback out.
ip -n "$space" link add eth0 type veth peer name eth1
ip -n "$space" link set eth1 up
ip -n "$space" address add 10.9.0.1/24 dev eth0
ip -n "$space" link set eth0 up
ip -n "$space" route add default via 10.9.0.2

cat > page.html <<'END'
<!doctype html>
<script>
const tell = (what, value) => fetch(`/${what}`, { method: "POST", body: value ?? "" });
const wait = time => new Promise(resolve => setTimeout(resolve, time));
const states = (...all) => all.map(pc => pc.connectionState).join(" ");

async function negotiate(a, b) {
  for (const [from, to] of [[a, b], [b, a]]) {
    await from.setLocalDescription();
    await wait(2_000); // There is no server: the candidates are in the description by then.
    await to.setRemoteDescription(from.localDescription);
  }
}

async function run(outage) {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const channel = a.createDataChannel("x");
  let came = 0;
  b.ondatachannel = ({ channel }) => (channel.onmessage = () => came++);
  await negotiate(a, b);
  while (channel.readyState !== "open") await wait(50);
  if (outage) {
    await tell("drop");
    await wait(40_000);
    await tell("pass");
  }
  const before = states(a, b);
  a.restartIce();
  await negotiate(a, b);
  await wait(2_000);
  for (let number = 0; number < 100; number++) channel.send("x");
  await wait(3_000);
  return `${before}, restarted: ${came} of 100 messages.`;
}

(async () => {
  for (const outage of [false, true]) await tell("seen", await run(outage));
  await tell("end");
})();
</script>
END
cat > serve.py <<'END'
import http.server, subprocess

DROP = '''table inet outage {
    chain out {
        type filter hook output priority filter
        meta l4proto udp drop
    }
}'''


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body=b''):
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(open('page.html', 'rb').read())

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'] or 0)).decode()
        if self.path == '/drop':
            subprocess.run(['nft', DROP], check=True)
        elif self.path == '/pass':
            subprocess.run(['nft', 'delete table inet outage'], check=True)
        elif self.path == '/seen':
            print(body, flush=True)
        self.answer()
        self.server.over = self.path == '/end'

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(('127.0.0.1', 8000), Handler)
server.over = False
while not server.over:
    server.handle_request()
END
mkdir profile
echo 'user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);' > profile/user.js
ip netns exec "$space" env HOME="$folder" MOZ_DISABLE_CONTENT_SANDBOX=1 firefox-esr --headless \
    --no-remote --profile profile http://127.0.0.1:8000/ >/dev/null 2>&1 &
disown
output=$(timeout 120 ip netns exec "$space" python3 serve.py)
echo "$output"
expected="connected connected, restarted: 100 of 100 messages.
failed failed, restarted: 0 of 100 messages."
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
