#!/usr/bin/env bash
# coturn 4.6.1 (Debian) with --alternate-server answers the first Allocate, which bears no
# credentials, with 300 and ALTERNATE-SERVER. It sends no challenge and no MESSAGE-INTEGRITY, so a
# client over UDP cannot tell the answer from somebody else's. A Binding request on the same port is
# answered as ever. The reason phrase ends in three NULs.
#
# Seen: Allocate: 300 b'Try Alternate\x00\x00\x00' 198.51.100.7:3478, no integrity.
# Binding: success.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
[[ $(dpkg-query -W -f '${Version}' coturn 2>/dev/null) == 4.6.1-1* ]] ||
    apt-get install -y -qq 'coturn=4.6.1-1*' >/dev/null

cat > run.py <<'EOF'
import os, socket, struct, subprocess, time

PORT = 34791
server = subprocess.Popen(
    ['turnserver', '-n', '--no-cli', '--no-tls', '--no-dtls', '--listening-ip=127.0.0.1',
     '--relay-ip=127.0.0.1', '--lt-cred-mech', '--realm=example.org', '--user=alice:wonder',
     '--alternate-server=198.51.100.7:3478', f'--listening-port={PORT}', '--log-file=stdout',
     '--pidfile=pid', '--userdb=db'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ask(method, body):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(3)
    client.connect(('127.0.0.1', PORT))
    client.send(struct.pack('!HHI', method, len(body), 0x2112A442) + os.urandom(12) + body)
    answer, found, at = client.recv(4096), {}, 20
    while at < len(answer):
        kind, length = struct.unpack('!HH', answer[at:at + 4])
        found[kind] = answer[at + 4:at + 4 + length]
        at += 4 + length + -length % 4
    return found


try:
    for _ in range(100):
        try:
            socket.create_connection(('127.0.0.1', PORT)).close()
            break
        except OSError:
            time.sleep(0.1)
    found = ask(3, struct.pack('!HHI', 0x19, 4, 17 << 24))
    code, other = found[9][2] * 100 + found[9][3], found[0x8023]
    where = f'{socket.inet_ntoa(other[4:8])}:{struct.unpack("!H", other[2:4])[0]}'
    integrity = 'integrity' if 8 in found or 0x1C in found else 'no integrity'
    print(f'Allocate: {code} {found[9][4:]} {where}, {integrity}')
    binding = 'success' if 0x20 in ask(1, b'') else 'error'
    print(f'Binding: {binding}')
finally:
    server.kill()
EOF
output=$(python3 run.py)
echo "$output"
expected="Allocate: 300 b'Try Alternate\\x00\\x00\\x00' 198.51.100.7:3478, no integrity
Binding: success"
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
