"""The servers' own routes of transcriptions, over what a front has: kept results, and jobs (ADRs 81, 112)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from whisper_runtime.errors import HttpError, error_response
from whisper_runtime.http.job_body import STORE_ERRORS, as_http_error, over_quota
from whisper_runtime.http.routes import openai, plain
from whisper_runtime.http.upload_route import UploadRoute
from whisper_runtime.service.jobs.door import TakesJobs
from whisper_runtime.service.jobs.job import JobQuotaReached
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.transcribe import RequestTranscriber

ROUTES: Final = {
    route.path: route
    for router in (plain.router, openai.router)
    for route in router.routes
    if isinstance(route, UploadRoute)
}
TOO_MANY: Final = 429


class FrontRoutes:
    """The routes, called as they are: what else FastAPI has around one would take as long as half of its work."""

    def __init__(
        self,
        model: ServedModel,
        transcriber_of: Callable[[Request], RequestTranscriber],
        form_parser: type[MultiPartParser],
        jobs: TakesJobs | None = None,
    ) -> None:
        """`form_parser`: reads the forms. `jobs` None: no request becomes one."""
        self._jobs = jobs
        self.state = State({"jobs": jobs, "model": model, "form_parser": form_parser, "transcriber_of": transcriber_of})
        """What the routes look for in the application that has their request."""

    async def answer(self, scope: Scope, receive: Receive) -> Response | None:
        """A result, a job, or that the client has to wait; None: nothing is kept, or a server is to say what is wrong.

        What a store of jobs refuses, every server would refuse. Who calls it has let the request in, and leaves that in
        its RequestState.
        """
        if (route := ROUTES.get(scope["path"])) is None:
            return None
        try:
            return await route.answer(Request({**scope, "app": self}, receive))
        except HttpError as error:
            return error_response(error) if error.status_code == TOO_MANY else None
        except STORE_ERRORS as error:
            return error_response(as_http_error(error))
        except JobQuotaReached as error:
            assert self._jobs is not None
            return error_response(over_quota(error, self._jobs.speed))
        except (HTTPException, RequestValidationError):
            return None
