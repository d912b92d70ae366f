"""The header `Prefer` (RFC 7240), as far as it asks for a job; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

JOB_PATHS: Final = frozenset({"/v1/audio/transcriptions", "/v1/audio/translations"})
"""The paths whose POST may become a job."""
LONGEST_WAIT: Final = 60
"""Seconds for which a response is kept back at most: proxies give up after as many."""
LONGEST_HEADER: Final = 1024
"""Characters that are read; a preference that is not understood is ignored (section 2)."""

TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
PREFERENCE: Final = re.compile(
    rf"\s*(?P<name>{TOKEN})(?:\s*=\s*(?P<value>{TOKEN}|{QUOTED}))?(?:\s*;(?:\s*{TOKEN}(?:\s*=\s*(?:{TOKEN}|{QUOTED}))?)?)*\s*"
)
"""One preference with its parameters, none of which means anything here."""
SECONDS: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Preference:
    """`respond-async`: the client takes a 202 for an answer."""

    wait: int = 0
    """Seconds that it waits for the result first, at most LONGEST_WAIT."""

    @property
    def applied(self) -> str:
        """The header Preference-Applied of a response that honours it."""
        return f"respond-async, wait={self.wait}" if self.wait else "respond-async"


def async_preference(headers: Headers) -> Preference | None:
    """What a request's headers prefer; None: not `respond-async`.

    Of a preference that is repeated the first one counts (section 2).
    """
    found: dict[str, str] = {}
    for name, value in _preferences(", ".join(headers.getlist("prefer"))[:LONGEST_HEADER]):
        found.setdefault(name, value)
    if "respond-async" not in found:
        return None
    wait = found.get("wait", "")
    return Preference(min(int(wait), LONGEST_WAIT) if SECONDS.fullmatch(wait) else 0)


def _preferences(header: str) -> list[tuple[str, str]]:
    """Names in small letters, and values without quotes; an element of the list that is malformed is left out."""
    found: list[tuple[str, str]] = []
    for element in re.findall(rf"(?:{QUOTED}|[^,\"]|\")+", header):
        if match := PREFERENCE.fullmatch(element):
            value = match["value"] or ""
            if value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            found.append((match["name"].lower(), value))
    return found
