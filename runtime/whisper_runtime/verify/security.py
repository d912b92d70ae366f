"""Checks that the server demands a key, bounds bodies, and keeps pages of other origins out."""

from __future__ import annotations

from typing import Final

from whisper_runtime.verify.checks import CheckFailed, CheckFunction, VerifyTarget, expect_status
from whisper_runtime.verify.functional import PLAIN

WRONG_AUTHORIZATION: Final = "Bearer not-a-key-of-this-server"
HUGE: Final = 1 << 40
"""Bytes of a body that every server should refuse."""
REFUSAL_SECONDS: Final = 10.0
"""Longest time for a refusal that needs only the request's headers."""
POURED_BYTES: Final = 64 * 1024**2
"""Bytes of a body without end that are sent before the check fails."""
UNKNOWN_ORIGIN: Final = "https://stranger.invalid"


def refuses_no_key(target: VerifyTarget) -> str:
    expect_status(target.server.request("GET", "/v1/models", {}), 401)
    return "401"


def refuses_a_wrong_key(target: VerifyTarget) -> str:
    expect_status(target.server.request("GET", "/v1/models", {"Authorization": WRONG_AUTHORIZATION}), 401)
    return "401"


def refuses_a_wrong_key_at_once(target: VerifyTarget) -> str:
    """A body without end must not be read, let alone stored, for an unknown client."""
    headers = {"Authorization": WRONG_AUTHORIZATION}
    response, sent = target.server.pour(PLAIN, headers, seconds=REFUSAL_SECONDS, limit=POURED_BYTES)
    if response is None:
        raise CheckFailed(f"no answer while {sent // 1024} KiB were sent with a wrong key")
    expect_status(response, 401)
    return f"401 after {sent // 1024} KiB of a body without end"


def bounds_bodies(target: VerifyTarget) -> str:
    expect_status(target.server.announce(PLAIN, HUGE, seconds=REFUSAL_SECONDS), 413)
    return "413 before the body is sent"


def refuses_unknown_origins(target: VerifyTarget) -> str:
    """A page of any origin may read responses only where the configuration allows all, and never with credentials."""
    preflight = {
        "Origin": UNKNOWN_ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    headers = target.server.request("OPTIONS", PLAIN, preflight).headers
    allowed = headers.get("access-control-allow-origin")
    if allowed is None:
        return "pages of other origins are kept out"
    if headers.get("access-control-allow-credentials") == "true":
        raise CheckFailed("pages of any origin may send requests with their visitors' credentials")
    if allowed != "*":
        raise CheckFailed(f"the unknown origin {UNKNOWN_ORIGIN} is allowed by name: allow those that you know, or `*`")
    return "pages of every origin are allowed, as configured"


WITH_KEY: Final[tuple[tuple[str, CheckFunction], ...]] = (
    ("no-key", refuses_no_key),
    ("wrong-key", refuses_a_wrong_key),
    ("wrong-key-at-once", refuses_a_wrong_key_at_once),
)
CHECKS: Final[tuple[tuple[str, CheckFunction], ...]] = (
    ("body-limit", bounds_bodies),
    ("cors", refuses_unknown_origins),
)
