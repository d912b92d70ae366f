"""The one model that is served here, in OpenAI's shape."""

from __future__ import annotations

from fastapi import APIRouter

from whisper_runtime.http.openai.responses import ModelBody, ModelList
from whisper_runtime.http.openapi import NO_SUCH_MODEL, READING
from whisper_runtime.service.model_info import check_name
from whisper_runtime.service.state import Serving, ServingOf

router = APIRouter(prefix="/v1/models")


@router.get("", responses=READING)
async def list_models(serving: ServingOf) -> ModelList:
    return ModelList(data=[_body(serving)])


@router.get("/{model}", responses=READING | NO_SUCH_MODEL)
async def retrieve_model(serving: ServingOf, model: str) -> ModelBody:
    check_name(serving.model, model)
    return _body(serving)


def _body(serving: Serving) -> ModelBody:
    return ModelBody(id=serving.model.name, created=serving.started, digest=serving.model.digest)
