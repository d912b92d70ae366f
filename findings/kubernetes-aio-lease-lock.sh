#!/usr/bin/env bash
# kubernetes 37.0.2 (the official Python client), kubernetes.aio.leaderelection with its LeaseLock, two surprises:
# (1) Where no Lease is there yet, it is never made: LeaseLock.create passes pretty=True, a bool, to a method whose
#     argument is checked to be a string, and run() ends in pydantic's ValidationError before any request is sent.
# (2) Where a Lease is there, renewTime is the local time with a Z behind it: a process in Tokyo writes a time nine
#     hours ahead of UTC, one in New York hours behind, and whoever shows a Lease's age believes it (LeaderElection
#     takes datetime.fromtimestamp without a zone, LeaseLock.time_str_to_iso appends "Z").
# Expected: that the first candidate makes the Lease, and that Z means UTC.
# Seen: the two lines below. Remedy: create the Lease beforehand and run with TZ=UTC, or renew a Lease by code of your
# own.
# Fails (exit 1) once either is mended.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet kubernetes==37.0.2
TZ=Asia/Tokyo "$directory/venv/bin/python" - <<'PYTHON'
import asyncio
import datetime
import importlib.metadata
import logging
import sys

from aiohttp import web
from kubernetes.aio import client
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

logging.getLogger("kubernetes").setLevel(logging.CRITICAL)
LEASE = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "lock"}, "spec": {}}
NOT_FOUND = {"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}


async def elect(exists):
    """The Leases that a candidate writes until it leads, and how its run ended before that."""
    written, leads = [], asyncio.Event()

    async def answer(request):
        if request.method == "GET":
            return web.json_response(LEASE if exists else NOT_FOUND, status=200 if exists else 404)
        written.append(await request.json())
        return web.json_response(written[-1])

    async def lead():
        leads.set()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = "http://127.0.0.1:%d" % runner.addresses[0][1]
    async with client.ApiClient(client.Configuration(host=host)) as api:
        lock = LeaseLock("lock", "default", "me", api)
        seconds = {"lease_duration": 15, "renew_deadline": 10, "retry_period": 2}
        config = Config(lock, **seconds, onstarted_leading=lead, onstopped_leading=None)
        run = asyncio.create_task(LeaderElection(config).run())
        leading = asyncio.create_task(leads.wait())
        await asyncio.wait((run, leading), return_when=asyncio.FIRST_COMPLETED)
        error = run.exception() if run.done() else None
        for task in (run, leading):
            task.cancel()
        await asyncio.gather(run, leading, return_exceptions=True)
    await runner.cleanup()
    return written, error


async def main():
    version = importlib.metadata.version("kubernetes")
    written, error = await elect(exists=False)
    never_made = not written and type(error).__name__ == "ValidationError"
    name = type(error).__name__
    print(f"kubernetes {version}, no Lease yet: {len(written)} requests to write it; run() ended in {name}")
    written, error = await elect(exists=True)
    renewed = datetime.datetime.fromisoformat(written[0]["spec"]["renewTime"])
    hours = (renewed - datetime.datetime.now(datetime.UTC)).total_seconds() / 3600
    print(f"kubernetes {version}, TZ=Asia/Tokyo: renewTime is {hours:.0f} hours ahead of the time")
    return never_made and round(hours) == 9


sys.exit(not asyncio.run(main()))
PYTHON
