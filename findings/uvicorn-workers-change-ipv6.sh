#!/usr/bin/env bash
# uvicorn 0.54.0, `--host ::`: with one worker it takes IPv6 connections alone, with more IPv4 ones too. One worker's
# socket is made by asyncio, which sets IPV6_V6ONLY; for several uvicorn makes it itself (Config.bind_socket) and leaves
# Linux's default. IPv4 clients then have addresses such as ::ffff:192.0.2.7, which no IPv4 address or network in
# FORWARDED_ALLOW_IPS matches, so the X-Forwarded-For of an IPv4 proxy is not looked at: behind an ingress every client
# has the proxy's address. A socket made by socket.create_server(dualstack_ipv6=True) and handed to uvicorn does the
# same.
# Expected: that the number of workers changes no address, and that 127.0.0.0/8 contains 127.0.0.1.
# Seen: the lines below. Remedy: bind 0.0.0.0, or trust ::ffff:a.b.c.d as well. Fails (exit 1) once that changes.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet uvicorn==0.54.0
cat >"$directory/client.py" <<'PYTHON'
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["client"][0].encode()})
PYTHON
cd "$directory"
venv/bin/python - <<'PYTHON'
import http.client
import importlib.metadata
import socket
import subprocess
import sys
import time

EXPECTED = {
    (1, "::1"): "192.0.2.7",
    (1, "127.0.0.1"): "connection refused",
    (2, "::1"): "192.0.2.7",
    (2, "127.0.0.1"): "::ffff:127.0.0.1",
}


def client_of(host, port):
    """The client's address as the application sees it, for a proxy at `host` that forwards for 192.0.2.7."""
    connection = http.client.HTTPConnection(host, port)
    try:
        connection.request("GET", "/", headers={"X-Forwarded-For": "192.0.2.7"})
        return connection.getresponse().read().decode()
    except ConnectionRefusedError:
        return "connection refused"
    finally:
        connection.close()


found = {}
for workers in (1, 2):
    with socket.socket(socket.AF_INET6) as free:
        free.bind(("::", 0))
        port = free.getsockname()[1]
    options = ("--host", "::", "--port", str(port), "--workers", str(workers), "--log-level", "critical")
    trusted = ("--forwarded-allow-ips", "127.0.0.0/8,::1")
    server = subprocess.Popen((sys.executable, "-m", "uvicorn", "client:app", *options, *trusted))
    try:
        while client_of("::1", port) == "connection refused":
            time.sleep(0.1)
        for host in ("::1", "127.0.0.1"):
            found[workers, host] = client_of(host, port)
            start = f"uvicorn {importlib.metadata.version('uvicorn')} --host :: --workers {workers}"
            print(f"{start}, a trusted proxy at {host:9} forwards for 192.0.2.7: {found[workers, host]}")
    finally:
        server.terminate()
        server.wait()
sys.exit(found != EXPECTED)
PYTHON
