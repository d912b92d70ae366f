#!/usr/bin/env bash
# kopf 1.45.2: a watch that the API server ends is opened again without any pause, also where the server ends each one
# at once; `settings.watching.reconnect_backoff` (0.1 s by default, 1 s here) is not waited for. One kind in one
# namespace then makes hundreds of requests a second, an operator of ten kinds ten times that, to a server which just
# sheds load.
# Expected from the setting's documentation ("a pause between watch requests, to prevent API flooding"): at most one
# request a second. It is waited for only before a new list (infinite_watch in kopf/_cogs/clients/watching.py), while
# the loop over watches is inside continuous_watch, without a pause.
# Seen: far more than 20 watches in the five seconds after the first. Fails (exit 1) once they are 20 or fewer.
# shellcheck source=findings/kopf-cluster.sh
source "$(dirname "$0")/kopf-cluster.sh"
"$directory/venv/bin/python" - "$directory" <<'PYTHON'
import asyncio
import importlib.metadata
import sys
import threading

sys.path.insert(0, sys.argv[1])
from cluster import operate, serve, thing

stop = threading.Event()
lists, watches = [], []


def listed():
    lists.append(1)
    return 1, [thing("a", 1)]


def watched(query):
    watches.append(query)
    if len(watches) == 1:
        threading.Timer(5, stop.set).start()
    return ()  # a watch without an event, ended by the server


asyncio.run(operate(serve(listed, watched), stop, reconnect_backoff=1))
version = importlib.metadata.version("kopf")
print(f"kopf {version}, reconnect_backoff=1: {len(lists)} list and {len(watches)} watches in five seconds")
sys.exit(len(watches) <= 20)
PYTHON
