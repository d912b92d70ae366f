"""Credentials of a source: a mounted Secret, one file for each key."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError


def read(directory: str | None) -> dict[str, str]:
    """Returns value by key, without surrounding white space; empty where `directory` is None. Raises FetchError."""
    if directory is None:
        return {}
    try:
        files = [file for file in Path(directory).iterdir() if file.is_file()]
        return {file.name: file.read_text().strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        message = f"the credentials in {directory} cannot be read ({type(error).__name__})"
        raise FetchError(DOWNLOAD_FAILED, message) from None


def authorization(credentials: Mapping[str, str]) -> str | None:
    """Returns the header's value for a bearer `token`, or for `username` and `password`; None without credentials.

    Raises FetchError where the keys are others, or the token is nothing that a header can carry.
    """
    if not credentials:
        return None
    if token := credentials.get("token"):
        if not (token.isascii() and token.isprintable()):
            raise _unusable("`token` must be printable ASCII characters on one line")
        return f"Bearer {token}"
    if "username" in credentials and "password" in credentials:
        pair = f"{credentials['username']}:{credentials['password']}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    keys = ", ".join(sorted(credentials))
    raise _unusable(f"the Secret has the keys {keys}: an http(s) source needs `token`, or `username` and `password`")


def _unusable(problem: str) -> FetchError:
    return FetchError(DOWNLOAD_FAILED, f"spec.model.source.secretRef: {problem}")
