"""Validation errors as sentences about the manifest."""

from __future__ import annotations

from pydantic import ValidationError


def explain(error: ValidationError) -> str:
    """One sentence for each error, joined by semicolons: the field's path, the value, and the remedy."""
    return "; ".join(_sentence(found["loc"], found["msg"]) for found in error.errors(include_url=False))


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    message = message.removeprefix("Value error, ")
    return message if message.startswith(path) or not path else f"{path}: {message}"
