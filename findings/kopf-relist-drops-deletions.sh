#!/usr/bin/env bash
# kopf 1.45.2: an object that is deleted while a watch is away, and before the list that follows "410 Gone", yields no
# DELETED event, ever: kopf lists again and reports what is there, and does not compare with what was there.
# Expected: what informers of client-go do, which is to report as deleted whatever a new list no longer has.
# Seen: `b` is listed, then gone; the handler gets two lists and no deletion. A watch expires whenever it was away for
# longer than the API server keeps changes, which is minutes.
# Remedy: list by yourself after a gap, and compare. Fails (exit 1) once kopf reports the deletion.
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

state = {"version": 1, "things": [thing("a", 1), thing("b", 1)]}
stop = threading.Event()
watches = []


def listed():
    return state["version"], state["things"]


def watched(query):
    watches.append(query["resourceVersion"])
    if len(watches) == 1:
        time.sleep(1)
        state.update(version=9, things=[thing("a", 1)])
        gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}
        yield {"type": "ERROR", "object": gone | {"message": "too old resource version: 1 (9)"}}
    else:
        time.sleep(3)  # enough for every event that is on its way
        stop.set()


seen = asyncio.run(operate(serve(listed, watched), stop))
print(f"kopf {importlib.metadata.version('kopf')}, watches from the versions {', '.join(watches[:2])}; events: {seen}")
sys.exit(sorted(seen, key=str) != [(None, "a"), (None, "a"), (None, "b")])
PYTHON
