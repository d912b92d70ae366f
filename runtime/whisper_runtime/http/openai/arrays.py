"""The entries of an array in a form, as clients write them; pure."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from pydantic import BeforeValidator


def entries(value: Any) -> Any:
    """The words that the field's values have between them: one each, several with commas, or a list in JSON.

    Empty ones are left out. What is no list of texts is left to the field's own check.
    """
    if not isinstance(value, list):
        return value
    return [entry for one in cast(list[Any], value) for entry in (_split(one) if isinstance(one, str) else [one])]


def _split(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return [text]
    return [word.strip() for word in text.split(",") if word.strip()]


Array: Final = BeforeValidator(entries)
