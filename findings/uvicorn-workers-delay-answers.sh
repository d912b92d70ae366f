#!/usr/bin/env bash
# uvicorn 0.54.0 on asyncio's own event loop (CPython 3.11): with `--workers 2` each answer on a kept connection takes
# 40 ms longer than with one worker. uvicorn then makes the listening socket itself, by socket.socket(), whose `proto`
# is 0; accepted sockets inherit that, and asyncio sets TCP_NODELAY only where `proto` is IPPROTO_TCP (_set_nodelay in
# asyncio/base_events.py). Header and body of an answer are two writes, so the second waits for the client's delayed
# ACK. The same holds for each socket handed to Server.run(sockets=…), as by socket.create_server(); not with uvloop,
# which sets the option on every TCP connection.
# Expected: that more workers answer no later than one, for asyncio has set TCP_NODELAY by default since Python 3.6.
# Seen: medians of 1 or few ms and of 44 ms. Remedy: set TCP_NODELAY on the listening socket, which hands it on.
# Fails (exit 1) once two workers' median is below 35 ms, or is not above one worker's.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet uvicorn==0.54.0
cat >"$directory/hello.py" <<'PYTHON'
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})
PYTHON
cd "$directory"
venv/bin/python - <<'PYTHON'
import http.client
import importlib.metadata
import socket
import statistics
import subprocess
import sys
import time


def median_ms(workers):
    """Of fifty answers on one connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = ("--port", port, "--workers", str(workers), "--loop", "asyncio", "--log-level", "critical")
    server = subprocess.Popen((sys.executable, "-m", "uvicorn", "hello:app", *options))
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port))
        while connection.sock is None:
            try:
                connection.connect()
            except ConnectionRefusedError:
                time.sleep(0.1)
        times = []
        for _ in range(50):
            started = time.perf_counter()
            connection.request("GET", "/")
            connection.getresponse().read()
            times.append(1000 * (time.perf_counter() - started))
        connection.close()
        return statistics.median(times)
    finally:
        server.terminate()
        server.wait()


one, two = median_ms(1), median_ms(2)
version = importlib.metadata.version("uvicorn")
print(f"uvicorn {version}, one worker:  {one:5.1f} ms")
print(f"uvicorn {version}, two workers: {two:5.1f} ms")
sys.exit(not (one < two and two >= 35))
PYTHON
