"""The state of the store that the pods of a service share, for the operator; beside the probes, where no client is."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from whisper_runtime.contract.network import STORE_PATH
from whisper_runtime.http.dependencies import SharedStoreReportDep

router = APIRouter(include_in_schema=False)


@router.get(STORE_PATH)
async def store(report: SharedStoreReportDep) -> Response:
    """404 where the process shares none."""
    if report is None:
        return JSONResponse({"reason": "NoStore"}, status_code=404)
    return JSONResponse(report.model_dump())
