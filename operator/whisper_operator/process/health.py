"""The operator's two ports: metrics on 8080, health on 8081."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


async def serve(
    host: str, metrics_port: int, health_port: int, standstill: Callable[[], str | None], is_ready: Callable[[], bool]
) -> list[web.AppRunner]:
    """Serves both ports; the runners are the caller's to clean up. Raises OSError where a port is taken.

    `host`: the address to listen on; empty: every one, for a cluster may have IPv4, IPv6 or both. `standstill`: what
    stands still, so that only a restart helps; None where nothing does. `is_ready`: every kind has been listed.
    """

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        if cause := standstill():
            return web.json_response({"status": "unhealthy", "cause": cause}, status=503)
        return web.json_response({"status": "healthy"})

    async def readyz(_: web.Request) -> web.Response:
        ready = is_ready()
        return web.json_response({"status": "ready" if ready else "starting"}, status=200 if ready else 503)

    health_routes = [web.get("/healthz", healthz), web.get("/readyz", readyz)]
    return [
        await _listen([web.get("/metrics", metrics)], host, metrics_port),
        await _listen(health_routes, host, health_port),
    ]


async def _listen(routes: list[web.RouteDef], host: str, port: int) -> web.AppRunner:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    # Without a host asyncio opens a socket for each family that the machine has; "::" would be IPv6 alone.
    await web.TCPSite(runner, host or None, port).start()
    return runner
