"""What a line of a batch asks for, and who reads it: the HTTP side, whose words the line has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from whisper_runtime.engine.transcription import Options
from whisper_runtime.service.audio_loading import AudioOptions
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.jobs.job import Job


@dataclass(frozen=True)
class FileReference:
    """A recording that the client has uploaded."""

    field: str
    """The field of the line that names it."""
    file_id: str


@dataclass(frozen=True)
class InlineRecording:
    """A recording that is in the line itself."""

    field: str
    media_type: str
    base64: str


LineSource = FileReference | InlineRecording | RemoteFile


@dataclass(frozen=True)
class LineRequest:
    """All that the body of a line says, resolved."""

    source: LineSource
    options: Options
    audio_options: AudioOptions
    response: Mapping[str, Any]
    """JSON of the response that it asks for."""


class LineDialect(Protocol):
    def request(self, body: Mapping[str, Any], endpoint: str) -> LineRequest:
        """Raises HttpError for the first field that is wrong, as the request itself would be answered."""
        ...

    def response(self, job: Job, result: bytes) -> Any:
        """The JSON of a body that the request would have been answered with; `result` is what the job came to."""
        ...
