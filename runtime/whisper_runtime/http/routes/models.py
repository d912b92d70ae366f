"""The one model that is served here, under each of its names, in OpenAI's shape."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from whisper_runtime.http.dependencies import ModelDep
from whisper_runtime.http.openai.responses import ModelBody, ModelList
from whisper_runtime.http.openapi import NO_SUCH_MODEL, READING
from whisper_runtime.service.model_info import ModelInfo, check_name

router = APIRouter(prefix="/v1/models")


@router.get("", responses=READING)
async def list_models(served: ModelDep) -> ModelList:
    """The model by its own name, then by each of its aliases."""
    return ModelList(data=[_body(served, name) for name in served.names])


@router.get("/{model:path}", responses=READING | NO_SUCH_MODEL)  # a server decodes %2F before it looks for a route
async def retrieve_model(served: ModelDep, model: str) -> ModelBody:
    if not model:
        raise HTTPException(404)
    check_name(served, model)
    return _body(served, model)


def _body(model: ModelInfo, name: str) -> ModelBody:
    return ModelBody(id=name, created=model.created, root=model.name, digest=model.digest)
