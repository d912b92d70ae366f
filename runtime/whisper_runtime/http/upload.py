"""The transcription of one recording, which ends as soon as its client hangs up."""

from __future__ import annotations

from starlette.requests import Request

from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.http.hang_up import unless_gone
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.audio_loading import AudioOptions, MediaFile
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.transcribe import RequestTranscriber, SegmentStream


async def transcribe_upload(
    transcriber: RequestTranscriber,
    request: Request,
    source: MediaFile | RemoteFile,
    options: Options,
    audio_options: AudioOptions,
    stream: SegmentStream | None = None,
) -> Transcription:
    """The transcription of `source`, counted for the sender of `request`.

    `stream` gets the segments as they become final; None: only the whole is wanted. Raises HttpError, and ClientGone
    where the client hangs up.
    """
    admitted = state_of(request.scope).admitted
    assert admitted is not None  # each route that takes a recording is behind the middleware that admits
    return await unless_gone(request.receive, transcriber.transcribe(source, admitted, options, stream, audio_options))
