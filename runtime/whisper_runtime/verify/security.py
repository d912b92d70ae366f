"""Whether keys are asked for, bodies have a bound, and pages of other origins are kept out."""

from __future__ import annotations

from typing import Final

from whisper_runtime.verify.checks import Examine, Subject, Wrong, wanted
from whisper_runtime.verify.functional import PLAIN

WRONG_KEY: Final = "Bearer not-a-key-of-this-server"
HUGE: Final = 1 << 40
"""Bytes; no server should take so much."""
PATIENCE_SECONDS: Final = 10.0
"""How long a refusal may take that needs nothing but the request's headers."""
POURED_BYTES: Final = 64 * 1024**2
STRANGER: Final = "https://stranger.invalid"


def refuses_no_key(subject: Subject) -> str:
    wanted(subject.server.request("GET", "/v1/models", {}), 401)
    return "401"


def refuses_a_wrong_key(subject: Subject) -> str:
    wanted(subject.server.request("GET", "/v1/models", {"Authorization": WRONG_KEY}), 401)
    return "401"


def refuses_a_wrong_key_at_once(subject: Subject) -> str:
    """A body without end must not be read, let alone stored, for a client that nobody knows."""
    headers = {"Authorization": WRONG_KEY}
    answer, sent = subject.server.pour(PLAIN, headers, seconds=PATIENCE_SECONDS, limit=POURED_BYTES)
    if answer is None:
        raise Wrong(f"no answer while {sent // 1024} KiB were sent with a wrong key")
    wanted(answer, 401)
    return f"401 after {sent // 1024} KiB of a body without end"


def bounds_bodies(subject: Subject) -> str:
    wanted(subject.server.announce(PLAIN, HUGE, seconds=PATIENCE_SECONDS), 413)
    return "413 before the body is sent"


def keeps_strangers_out(subject: Subject) -> str:
    """A page of any origin may read answers only where the configuration allows all, and never with credentials."""
    preflight = {
        "Origin": STRANGER,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    headers = subject.server.request("OPTIONS", PLAIN, preflight).headers
    allowed = headers.get("access-control-allow-origin")
    if allowed is None:
        return "pages of other origins are kept out"
    if headers.get("access-control-allow-credentials") == "true":
        raise Wrong("pages of any origin may send requests with their visitors' credentials")
    if allowed != "*":
        raise Wrong(f"the unknown origin {STRANGER} is allowed by name: allow those that you know, or `*`")
    return "pages of every origin are allowed, as configured"


WITH_KEY: Final[tuple[tuple[str, Examine], ...]] = (
    ("no-key", refuses_no_key),
    ("wrong-key", refuses_a_wrong_key),
    ("wrong-key-at-once", refuses_a_wrong_key_at_once),
)
CHECKS: Final[tuple[tuple[str, Examine], ...]] = (
    ("body-limit", bounds_bodies),
    ("cors", keeps_strangers_out),
)
