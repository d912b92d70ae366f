"""A transcription as the response of a route."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from whisper_runtime.http.openai.responses import GroqRequest
from whisper_runtime.http.request_state import state_of
from whisper_runtime.logs import request_id


def openai_response(request: Request, body: BaseModel | str, headers: Mapping[str, str]) -> Response:
    """`body` as formats.openai_body or plain_body gives it."""
    if isinstance(body, str):
        return PlainTextResponse(body, headers=headers)
    if state_of(request.scope).is_groqs:
        body = body.model_copy(update={"x_groq": GroqRequest(id=request_id.get() or "")})
    # At once: to make dicts of it first takes several times as long, in which no other request is answered.
    return Response(body.model_dump_json(exclude_none=True), media_type=JSONResponse.media_type, headers=headers)
