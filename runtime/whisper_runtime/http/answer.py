"""A transcription as the response of OpenAI's routes."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from whisper_runtime.http.request_state import state_of
from whisper_runtime.logs import request_id


def openai_response(request: Request, body: BaseModel | str, headers: Mapping[str, str]) -> Response:
    """`body` as formats.openai_body gives it."""
    if isinstance(body, str):
        return PlainTextResponse(body, headers=headers)
    fields = body.model_dump(mode="json", exclude_none=True)
    if state_of(request.scope).is_groqs:
        fields["x_groq"] = {"id": request_id.get()}
    return JSONResponse(fields, headers=headers)
