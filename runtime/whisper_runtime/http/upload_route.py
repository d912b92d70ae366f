"""Routes that take a form with a recording: FastAPI describes them, and the form is read here (ADR 90)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from whisper_runtime.http.file_digest import DigestedRequest
from whisper_runtime.http.openai.form_values import form_of
from whisper_runtime.http.openai.forms import FORM_LIMITS, check_each_once


class UploadRoute(APIRoute):
    """A route whose function takes the request, and its `form` as a model; nothing else is looked up for it.

    Its RequestState has the digest of the form's file, where its application has a parser for that.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.answer

    async def answer(self, request: Request) -> Response:
        """The answer; the files of the form are there until it is known. Raises what the function does, HTTPException
        for a form that cannot be read, and RequestValidationError for one with a wrong field."""
        request = DigestedRequest(request.scope, request.receive)
        form = await _read(request)
        try:
            check_each_once(form)
            return await self.endpoint(request, form_of(_kind(self.endpoint), form))
        finally:
            await form.close()


@cache
def _kind(endpoint: Callable[..., Any]) -> type[BaseModel]:
    """The model of the function's form."""
    return get_type_hints(endpoint)["form"]


async def _read(request: Request) -> FormData:
    try:
        return await request.form(**FORM_LIMITS)
    except HTTPException:
        raise
    except Exception as error:  # as FastAPI: whatever it is, the client's form cannot be read
        raise HTTPException(400, "There was an error parsing the body") from error
