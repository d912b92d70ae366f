"""Sends a recording to a transcription service, with the standard library alone."""

from __future__ import annotations

import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 300


def transcribe(address: str, recording: Path) -> dict[str, Any]:
    """The answer of `POST /transcribe` for `recording`: text, language, segments, duration in seconds."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{recording.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + recording.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        f"{address}/transcribe", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        return json.load(response)
