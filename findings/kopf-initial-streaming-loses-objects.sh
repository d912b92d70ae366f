#!/usr/bin/env bash
# kopf 1.45.2 with settings.watching.initial_streaming (a watch that begins with all objects, instead of a list): where
# that first watch is cut before its closing bookmark, the objects that had not come yet are never reported. kopf opens
# the next watch from the version of the last object that it got, as an ordinary one, and the API server sends what is
# newer than that; the initial events, though, come in no order of versions, so older objects are left out.
# Expected: that the first watch is asked for again until its bookmark has come (as client-go's reflector does), for
# only the bookmark's version stands for all. Seen: `a` (version 7) came, `b` (version 3) never does. Fails (exit 1)
# once `b` is reported. The API server ends watches whenever it restarts.
# shellcheck source=findings/kopf-cluster.sh
source "$(dirname "$0")/kopf-cluster.sh"
"$directory/venv/bin/python" - "$directory" <<'PYTHON'
import asyncio
import importlib.metadata
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
from cluster import operate, serve, thing

THINGS = thing("a", 7), thing("b", 3)
stop = threading.Event()
watches = []


def watched(query):
    """As an API server does, but that it ends the first watch after one object."""
    watches.append({name: query.get(name) for name in ("sendInitialEvents", "resourceVersion")})
    if query.get("sendInitialEvents") == "true":
        yield {"type": "ADDED", "object": THINGS[0]}
        if len(watches) == 1:
            return
        yield {"type": "ADDED", "object": THINGS[1]}
        end = {"resourceVersion": "7", "annotations": {"k8s.io/initial-events-end": "true"}}
        yield {"type": "BOOKMARK", "object": {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": end}}
    else:
        version = int(query["resourceVersion"])
        newer = [thing for thing in THINGS if int(thing["metadata"]["resourceVersion"]) > version]
        yield from ({"type": "ADDED", "object": thing} for thing in newer)
    time.sleep(3)  # enough for every event that is on its way
    stop.set()


seen = asyncio.run(operate(serve(lambda: (7, THINGS), watched), stop, initial_streaming=True))
print(f"kopf {importlib.metadata.version('kopf')}: watches {watches[:2]}; events {seen}")
sys.exit(seen != [(None, "a")])
PYTHON
