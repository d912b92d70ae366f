"""A validation error in the words of the manifest."""

from __future__ import annotations

from pydantic import ValidationError


def explain(error: ValidationError) -> str:
    """One sentence for each mistake: the field's path, the value, and what to write."""
    return "; ".join(_sentence(mistake["loc"], mistake["msg"]) for mistake in error.errors(include_url=False))


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    message = message.removeprefix("Value error, ")
    return message if message.startswith(path) or not path else f"{path}: {message}"
