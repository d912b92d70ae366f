"""Takes a file to the text that is kept of it, and makes none: for who has no model (ADR 81)."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioOptions, MediaFile
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.rate_limits import ClientRates
from whisper_runtime.service.result_cache.content import Hit
from whisper_runtime.service.result_cache.directives import CacheDirectives
from whisper_runtime.service.result_cache.kept_results import KeptResults
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.replay import not_kept, replay
from whisper_runtime.service.transcribe import SegmentStream, note_text


class NothingKept:
    """For requests that need no text now."""

    @property
    def takes_urls(self) -> bool:
        return False

    async def transcribe(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        options: Options,
        stream: SegmentStream | None = None,
        audio_options: AudioOptions = DEFAULT_AUDIO,
    ) -> Transcription:
        """Raises HttpError (504)."""
        raise not_kept()


@dataclass(frozen=True)
class KeptTranscriber:
    """For one request."""

    kept: KeptResults
    metrics: CacheMetrics
    rates: ClientRates
    """Which a request counts for that is answered."""
    directives: CacheDirectives
    file_digest: str | None
    """sha256 of the uploaded file in hex; None: there is none."""

    @property
    def takes_urls(self) -> bool:
        """What is on another server is not known by its bytes."""
        return False

    async def transcribe(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        options: Options,
        stream: SegmentStream | None = None,
        audio_options: AudioOptions = DEFAULT_AUDIO,
    ) -> Transcription:
        """As Transcriber.transcribe. Raises HttpError: 504 where nothing is kept, 429 where the client has to wait."""
        hit = await self._hit(source, admitted, options, audio_options)
        if hit is None:
            raise not_kept()
        await admitted.charge_to(self.rates)
        found = replay(hit, admitted, self.metrics, stream)
        note_text(found)
        return found

    async def _hit(
        self, source: MediaFile | RemoteFile, admitted: Admitted, options: Options, audio_options: AudioOptions
    ) -> Hit | None:
        is_wanted = not (self.directives.no_store or self.directives.no_cache) and self.kept.keeps(options)
        if not is_wanted or self.file_digest is None or not isinstance(source, MediaFile):
            return None
        upload = self.kept.upload_key(admitted.client, self.file_digest, source, options, audio_options)
        audio = await self.kept.audio(upload) if upload else None
        if audio is None:
            return None
        hit = await self.kept.hit(self.kept.key(admitted.client, audio.digest, options, audio_options), self.directives)
        if hit is not None:
            admitted.track = audio.track
        return hit
