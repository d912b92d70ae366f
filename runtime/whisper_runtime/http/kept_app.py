"""The servers' own routes of transcriptions, over what is kept of them alone: for the front (ADR 81)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from whisper_runtime.errors import HttpError, error_response
from whisper_runtime.http.file_digest import HeadParser
from whisper_runtime.http.routes import openai, plain
from whisper_runtime.http.upload_route import UploadRoute
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.transcribe import RequestTranscriber

ROUTES: Final = {
    route.path: route
    for router in (plain.router, openai.router)
    for route in router.routes
    if isinstance(route, UploadRoute)
}
TOO_MANY: Final = 429


class KeptApp:
    """The routes, called as they are: what else FastAPI has around one would take as long as half of its work."""

    def __init__(self, model: ServedModel, transcriber_of: Callable[[Request], RequestTranscriber]) -> None:
        self.state = State({"jobs": None, "model": model, "form_parser": HeadParser, "transcriber_of": transcriber_of})
        """What the routes look for in the application that has their request."""

    async def answer(self, scope: Scope, receive: Receive) -> Response | None:
        """A result, or that the client has to wait (429); None: nothing is kept, or a server is to say what is wrong.

        Who calls it has let the request in, and leaves that in its RequestState.
        """
        if (route := ROUTES.get(scope["path"])) is None:
            return None
        try:
            return await route.answer(Request({**scope, "app": self}, receive))
        except HttpError as error:
            return error_response(error) if error.status_code == TOO_MANY else None
        except (HTTPException, RequestValidationError):
            return None
