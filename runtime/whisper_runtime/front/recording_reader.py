"""Reads the recordings of jobs that a front takes itself: of a file, all that is in it, without a model beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import (
    DECODE_SECONDS,
    AudioOptions,
    Decode,
    LoadedAudio,
    MediaFile,
    wanted_languages,
)
from whisper_runtime.service.disk_quota import Reservation
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.rate_limits import ClientRates


@dataclass(frozen=True)
class FileReader:
    """A RecordingReader. What is not for it, or is wrong with a file, a server says: HttpError (503) is raised then."""

    decode: Decode[DecodedAudio]
    rates: ClientRates
    """Which a request counts for whose recording was read."""
    max_seconds: float

    async def known_speakers(self, audio_options: AudioOptions) -> Sequence[KnownSpeaker]:
        """Nobody. Raises HttpError where the request names somebody: that takes the speakers' model."""
        if audio_options.speakers and audio_options.speakers.references:
            raise _for_a_server()
        return ()

    async def load(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        disk: Reservation,
        options: Options,
        audio_options: AudioOptions,
    ) -> list[LoadedAudio]:
        """The recording. Raises HttpError: 429 where its client has to wait."""
        if not isinstance(source, MediaFile) or audio_options.detection or audio_options.separate_channels:
            raise _for_a_server()
        try:
            decoded = await self.decode(
                source.content,
                max_seconds=self.max_seconds,
                timeout=DECODE_SECONDS,
                on_bytes=disk.cover,
                languages=wanted_languages(options),
                declared=source.declared,
            )
        except AudioError:
            raise _for_a_server() from None
        disk.set(decoded.samples.nbytes)
        admitted.track = decoded.track
        await admitted.charge_to(self.rates)
        return [LoadedAudio(decoded.samples, None)]


def _for_a_server() -> HttpError:
    return HttpError(503, "A server is to read this recording.", code="for_a_server")
