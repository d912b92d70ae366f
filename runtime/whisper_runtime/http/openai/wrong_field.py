"""Pydantic's finding about a field that a client sent, as an error of ours; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from whisper_runtime.errors import HttpError, invalid_value

SHOWN: Final = 100
"""Characters that an error repeats of what a client sent."""


def wrong_field(finding: Mapping[str, Any], *, at: int) -> HttpError:
    """400 for one of `errors()`; `at`: where its `loc` has the field, behind which an index in a list may stand."""
    field = str(finding["loc"][at]) if len(finding["loc"]) > at else "body"
    if finding["type"] == "missing":
        message = f"`{field}` is missing: send it as a field of the form."
        return HttpError(400, message, param=field, code="missing_required_parameter")
    if finding["type"] == "extra_forbidden":
        message = f"Unknown parameter: `{field[:SHOWN]}`. GET /openapi.json lists the known ones."
        return HttpError(400, message, param=field[:SHOWN], code="unknown_parameter")
    message = f"`{field}` is {shown(finding['input'])}: {_uncapitalised(finding['msg'])}."
    return invalid_value(field, message)


def shown(value: Any) -> str:
    """`value` as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
