#!/usr/bin/env bash
# aiohttp 3.14.5, CPython 3.11: a task that is cancelled in the same turn of the event loop in which its request's
# ClientTimeout(total=…) fires goes on as if nobody had cancelled it: the request raises TimeoutError, and the
# cancellation is gone. asyncio.timeout() around a request without that timer lets the cancellation through.
# It happens where a process sleeps (a suspended laptop, a stopped container): everything is due at once when it wakes.
# Expected from asyncio's documentation: "a task that was asked to cancel raises CancelledError at its next await".
# Seen: exit 0 and the two lines below. Fails (exit 1) once aiohttp hands the cancellation on.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet aiohttp==3.14.5
"$directory/venv/bin/python" - <<'PYTHON'
import asyncio
import sys
import time

import aiohttp


async def outcome(url: str, timer: aiohttp.ClientTimeout, limit: float | None) -> str:
    """How a request ends that is cancelled in the turn in which its time is over."""

    async def ask() -> None:
        async with aiohttp.ClientSession(timeout=timer) as session, asyncio.timeout(limit):
            await session.get(url)

    task = asyncio.create_task(ask())
    await asyncio.sleep(0.05)
    asyncio.get_running_loop().call_later(0.1, task.cancel)
    time.sleep(0.5)  # the process stands still, and both are due when it goes on
    try:
        await task
    except BaseException as error:
        return type(error).__name__
    return "an answer"


async def main() -> None:
    waiting: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: waiting.append(writer), "127.0.0.1", 0)
    url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    own = await outcome(url, aiohttp.ClientTimeout(total=0.1), None)
    asyncios = await outcome(url, aiohttp.ClientTimeout(total=None), 0.1)
    for writer in waiting:
        writer.close()
    print(f"aiohttp {aiohttp.__version__}, ClientTimeout(total=0.1):    the cancelled task ends with {own}")
    print(f"aiohttp {aiohttp.__version__}, asyncio.timeout(0.1) instead: the cancelled task ends with {asyncios}")
    sys.exit((own, asyncios) != ("TimeoutError", "CancelledError"))


asyncio.run(main())
PYTHON
