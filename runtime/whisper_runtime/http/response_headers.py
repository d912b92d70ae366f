"""Names of headers that our responses have, and a web page may read."""

from __future__ import annotations

from typing import Final

IGNORED_FIELDS: Final = "X-Ignored-Fields"
JOB_RESPONSE_HEADERS: Final = ("Location", "Content-Location", "Preference-Applied")
