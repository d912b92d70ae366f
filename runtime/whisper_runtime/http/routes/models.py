"""The one model that is served here, in OpenAI's shape."""

from __future__ import annotations

from fastapi import APIRouter

from whisper_runtime.http.dependencies import ModelDep
from whisper_runtime.http.openai.responses import ModelBody, ModelList
from whisper_runtime.http.openapi import NO_SUCH_MODEL, READING
from whisper_runtime.service.model_info import ModelInfo, check_name

router = APIRouter(prefix="/v1/models")


@router.get("", responses=READING)
async def list_models(served: ModelDep) -> ModelList:
    return ModelList(data=[_body(served)])


@router.get("/{model}", responses=READING | NO_SUCH_MODEL)
async def retrieve_model(served: ModelDep, model: str) -> ModelBody:
    check_name(served, model)
    return _body(served)


def _body(model: ModelInfo) -> ModelBody:
    return ModelBody(id=model.name, created=model.created, digest=model.digest)
