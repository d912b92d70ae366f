#!/usr/bin/env bash
# kopf 1.45.2: when kopf.operator() ends, it waits up to five seconds for every asyncio task of the event loop that is
# younger than the operator, and then cancels it, whoever made it: tasks of the program around it, requests that a web
# server in the same loop is answering, background tasks of libraries. Tasks from before are spared.
# Expected of something that is awaited like any coroutine: that it ends its own tasks alone. An internal docstring says
# why not (run_tasks in kopf/_core/reactor/running.py): kopf cannot tell which tasks are its own.
# Remedy: give kopf an event loop of its own, in a thread. Seen: a task from before lives on, a task from after was
# cancelled. Fails (exit 1) once the younger task lives on.
# shellcheck source=findings/kopf-cluster.sh
source "$(dirname "$0")/kopf-cluster.sh"
"$directory/venv/bin/python" - "$directory" <<'PYTHON'
import asyncio
import importlib.metadata
import sys
import time

sys.path.insert(0, sys.argv[1])
from cluster import operate, serve


def watched(_):
    time.sleep(30)
    return ()


async def main():
    url, stop, started = serve(lambda: (1, []), watched), asyncio.Event(), asyncio.Event()
    older = asyncio.create_task(asyncio.sleep(3600))
    operator = asyncio.create_task(operate(url, stop))
    asyncio.get_running_loop().call_later(2, started.set)
    await started.wait()
    younger = asyncio.create_task(asyncio.sleep(3600))
    await asyncio.sleep(0.1)
    stop.set()
    await operator
    version = importlib.metadata.version("kopf")
    for age, task in (("before", older), ("after", younger)):
        print(f"kopf {version}: a task made {age} the operator {'was cancelled' if task.cancelled() else 'lives on'}")
    found = older.cancelled(), younger.cancelled()
    older.cancel()
    return found


sys.exit(asyncio.run(main()) != (False, True))
PYTHON
