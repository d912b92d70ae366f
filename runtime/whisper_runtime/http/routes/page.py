"""The page at `/`, of a server or of the front: its files need no key, and ask for one where the service does.

It imports nothing of the model, for the front has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from whisper_runtime.http import page

_Endpoint = Callable[[Request], Awaitable[Response]]

TYPES: Final = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
INDEX: Final = "index.html"
FILES: Final = tuple(
    sorted(one.name for one in resources.files(page).iterdir() if one.name.endswith(tuple(TYPES)) and one.name != INDEX)
)
"""The files that the page loads, below `ui/`."""
PAGE_PATHS: Final = frozenset({"/", *(f"/ui/{name}" for name in FILES)})

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Of each file: what comes from elsewhere is neither loaded nor run, and no other page may frame this one."""


def routes() -> list[Route]:
    """The routes of the page and of what it loads."""
    own = [Route(f"/ui/{name}", _sender(name), name=f"page {name}") for name in FILES]
    return [Route("/", _index(_sender(INDEX)), name="page"), *own]


def _index(send: _Endpoint) -> _Endpoint:
    async def index(request: Request) -> Response:
        """The page's own addresses are relative, so that it works below any path, if that ends with a slash."""
        asked = request.scope.get("raw_path", b"/").decode("latin-1").partition("?")[0]
        if not asked.endswith("/") and "://" not in asked:  # of a whole URL without a path this is the root
            return RedirectResponse(f"{asked.rpartition('/')[2]}/", 307)
        return await send(request)

    return index


def _sender(name: str) -> _Endpoint:
    content = resources.files(page).joinpath(name).read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {**HEADERS, "ETag": tag}
    media_type = TYPES[name[name.rindex(".") :]]

    async def send(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return send
