"""The health path for load balancers, on the clients' port: the status alone, for it needs no key."""

from __future__ import annotations

from fastapi import APIRouter, Response

from whisper_runtime.contract.network import BALANCER_PATH
from whisper_runtime.http.dependencies import ProbesDep

router = APIRouter(include_in_schema=False)


@router.api_route(BALANCER_PATH, methods=["GET", "HEAD"])
async def balancer(probes: ProbesDep) -> Response:
    """200 while clients should be sent here, as `/ready` on the other port; else 503."""
    return Response(status_code=503 if probes.unready else 200, headers={"cache-control": "no-store"})
