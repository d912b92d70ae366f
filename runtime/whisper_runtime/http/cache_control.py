"""The header `Cache-Control` of a request (RFC 9111, section 5.2.1); pure."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers

from whisper_runtime.service.result_cache.directives import CacheDirectives

LONGEST_HEADER: Final = 1024
"""Characters that are read."""
MOST_SECONDS: Final = 2**31
"""Section 1.2.2: what is larger counts as this."""
DIRECTIVE: Final = re.compile(r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^",]*)))?[^,]*,?""")


def cache_directives(headers: Headers) -> CacheDirectives:
    """What the client says: of a directive that is repeated the first counts, one that is not known is ignored (5.2.3).

    Seconds that are no number are taken as the strictest ones (4.2.1).
    """
    found: dict[str, str] = {}
    for match in DIRECTIVE.finditer(", ".join(headers.getlist("cache-control"))[:LONGEST_HEADER]):
        found.setdefault(match[1].lower(), match[2] or (match[3] or "").strip())
    return CacheDirectives(
        no_store="no-store" in found,
        no_cache="no-cache" in found,
        max_age=_seconds(found["max-age"], invalid=0) if "max-age" in found else None,
        min_fresh=_seconds(found.get("min-fresh", "0"), invalid=MOST_SECONDS),
        only_if_cached="only-if-cached" in found,
    )


def _seconds(value: str, invalid: int) -> int:
    if not re.fullmatch("[0-9]+", value):
        return invalid
    return min(int(value[:11]), MOST_SECONDS)
