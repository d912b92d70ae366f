"""The one place where the layers of a request leave facts for each other: the `state` of its ASGI scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from whisper_runtime.errors import HttpError
from whisper_runtime.http.prefer import Preference
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.client_identity import by_address

KEY: Final = "whisper"
"""Within `scope["state"]`, which the server and Starlette use too."""


@dataclass
class RequestState:
    client: str
    """The name under which limits count the sender: its address's, until authentication knows its key."""
    admitted: Admitted | None = None
    """What the request holds; None: it is no work, or not admitted yet."""
    preference: Preference | None = None
    """How the client wants to wait for a job; None: it wants none, or none can be had."""
    file_digest: str | None = None
    """sha256 in hex of the file in the form; None: it has none, or nobody needs it."""
    is_groqs: bool = False
    """Whether the request came by the path of Groq's API."""
    stream_error: HttpError | None = None
    """The error that ended a response which had begun with status 200, for the log and the metrics; None: no error."""


def state_of(scope: Scope) -> RequestState:
    """The state of the request; the same object for each layer."""
    states = scope.setdefault("state", {})
    if KEY not in states:
        address = scope["client"][0] if scope.get("client") else ""
        states[KEY] = RequestState(by_address(address))
    return states[KEY]
