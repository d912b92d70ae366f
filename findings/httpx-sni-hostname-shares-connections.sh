#!/usr/bin/env bash
# httpx 0.28.1, httpcore 1.0.9: a request to an IP address with the extension `sni_hostname` is verified for that name,
# and the connection is kept in the pool by the address alone. The next request to the same address with another
# `sni_hostname` goes through it: its server is never verified for the name that was asked for, and no error is raised.
# This is the usual way to connect to an address that was checked before (against SSRF, or to pin a name), and two names
# behind one load balancer have one address.
# Expected: a connection of its own, for which the certificate does not match, and httpx.ConnectError.
# Where: httpcore/_sync/connection_pool.py, which asks `can_handle_request(origin)`; the origin lacks the extension.
# Seen: the second request gets 200. Without kept connections it fails, as it should.
# Remedy: httpx.Limits(max_keepalive_connections=0), or a client for each name.
# Fails (exit 1) once that changes. It needs openssl.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv venv
venv/bin/pip install --quiet httpx==0.28.1 httpcore==1.0.9
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=a.test -addext subjectAltName=DNS:a.test \
  -keyout key.pem -out certificate.pem 2>/dev/null
venv/bin/python - <<'PYTHON'
import http.server
import ssl
import sys
import threading

import httpx


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
trusted = ssl.create_default_context(cafile="certificate.pem")


def outcome(client, name):
    url = f"https://127.0.0.1:{server.server_port}/"
    try:
        return client.get(url, headers={"Host": name}, extensions={"sni_hostname": name}).status_code
    except httpx.ConnectError:
        return "certificate refused"


found = []
for kept in (20, 0):
    with httpx.Client(verify=trusted, limits=httpx.Limits(max_keepalive_connections=kept)) as client:
        found.append([outcome(client, "a.test"), outcome(client, "b.test")])
    print(f"certificate for a.test, {kept:2} connections kept: a.test {found[-1][0]}, then b.test {found[-1][1]}")
sys.exit(found != [[200, 200], [200, "certificate refused"]])
PYTHON
