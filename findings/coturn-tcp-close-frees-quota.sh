#!/usr/bin/env bash
# coturn 4.6.1 (Debian): an allocation that was deleted by Refresh with lifetime 0 counts against
# --user-quota for another second, and the next Allocate of the user gets 486. Over TCP, closing the
# connection gives the place back at once, with or without that Refresh. So a client that will soon
# allocate again closes its connection, and waits only after UDP.
#
# Seen: udp, Refresh 0: free after about 1.0 s; tcp, Refresh 0 and left open: the same; tcp, Refresh
# 0 and closed: at once; tcp, closed without a word: at once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
[[ $(dpkg-query -W -f '${Version}' coturn 2>/dev/null) == 4.6.1-1* ]] ||
    apt-get install -y -qq 'coturn=4.6.1-1*' >/dev/null

cat > run.py <<'EOF'
import hashlib, hmac, os, socket, struct, subprocess, time

PORT = 34790
UDP_PLEASE = (0x19, bytes([17, 0, 0, 0]))


def attribute(kind, value):
    return struct.pack('!HH', kind, len(value)) + value + bytes(-len(value) % 4)


class Client:
    def __init__(self, kind):
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.settimeout(3)
        self.socket.connect(('127.0.0.1', PORT))
        self.challenge = None

    def ask(self, method, *attributes):
        head = lambda length: struct.pack('!HHI', method, length, 0x2112A442) + identity
        identity, body = os.urandom(12), b''.join(attribute(*a) for a in attributes)
        if self.challenge:
            realm, nonce = self.challenge
            body += attribute(0x06, b'alice') + attribute(0x14, realm) + attribute(0x15, nonce)
            key = hashlib.md5(b'alice:' + realm + b':wonder').digest()
            body += attribute(0x08, hmac.new(key, head(len(body) + 24) + body, 'sha1').digest())
        self.socket.send(head(len(body)) + body)
        answer, found, at = self.socket.recv(4096), {}, 20
        while at < len(answer):
            kind, length = struct.unpack('!HH', answer[at:at + 4])
            found[kind] = answer[at + 4:at + 4 + length]
            at += 4 + length + -length % 4
        code = found[9][2] * 100 + found[9][3] if 9 in found else 0
        if code == 401 and not self.challenge:
            self.challenge = (found[0x14], found[0x15])
            return self.ask(method, *attributes)
        return code


def free_after(kind, refresh, close):
    first = Client(kind)
    assert first.ask(3, UDP_PLEASE) == 0
    start = time.monotonic()
    if refresh:
        assert first.ask(4, (0x0D, bytes(4))) == 0
    if close:
        first.socket.close()
    for _ in range(100):
        second = Client(kind)
        code, at = second.ask(3, UDP_PLEASE), time.monotonic() - start
        if code == 0:
            second.ask(4, (0x0D, bytes(4)))
            second.socket.close()
            time.sleep(2.5)
            return at
        assert code == 486, code
        second.socket.close()
        time.sleep(0.05)
    raise SystemExit('never free')


server = subprocess.Popen(
    ['turnserver', '-n', '--no-cli', '--no-tls', '--no-dtls', '--listening-ip=127.0.0.1',
     '--relay-ip=127.0.0.1', '--lt-cred-mech', '--realm=example.org', '--user=alice:wonder',
     '--user-quota=1', f'--listening-port={PORT}', '--log-file=stdout', '--pidfile=pid',
     '--userdb=db'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            socket.create_connection(('127.0.0.1', PORT)).close()
            break
        except OSError:
            time.sleep(0.1)
    for name, kind, refresh, close, slow in [
        ('udp, Refresh 0', socket.SOCK_DGRAM, True, False, True),
        ('tcp, Refresh 0 and left open', socket.SOCK_STREAM, True, False, True),
        ('tcp, Refresh 0 and closed', socket.SOCK_STREAM, True, True, False),
        ('tcp, closed without a word', socket.SOCK_STREAM, False, True, False),
    ]:
        seconds = free_after(kind, refresh, close)
        print(f'{name}: free after {seconds:.2f} s')
        expected = 0.7 < seconds < 2.2 if slow else seconds < 0.5
        if not expected:
            raise SystemExit('it behaves otherwise now')
finally:
    server.kill()
EOF
python3 run.py
