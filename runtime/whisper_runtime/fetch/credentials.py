"""Credentials of a source: a mounted Secret, one file for each key."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError


def read(directory: str | None) -> dict[str, str]:
    """Value by key, without the newline that files end with; empty where no Secret is mounted. Raises FetchError."""
    if directory is None:
        return {}
    try:
        files = [file for file in Path(directory).iterdir() if file.is_file()]
        return {file.name: file.read_text().strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        message = f"the credentials in {directory} cannot be read ({type(error).__name__})"
        raise FetchError(DOWNLOAD_FAILED, message) from None


def authorization(credentials: Mapping[str, str]) -> str | None:
    """The header's value: a bearer `token`, or `username` and `password`; None without credentials."""
    if not credentials:
        return None
    if token := credentials.get("token"):
        return f"Bearer {token}"
    if "username" in credentials and "password" in credentials:
        pair = f"{credentials['username']}:{credentials['password']}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    raise FetchError(
        DOWNLOAD_FAILED,
        f"spec.model.source.secretRef: the Secret has the keys {', '.join(sorted(credentials))}: "
        "an http(s) source needs `token`, or `username` and `password`",
    )
