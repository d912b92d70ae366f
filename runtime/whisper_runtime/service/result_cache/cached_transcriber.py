"""Takes a file to its text as Transcriber does, by what is known where something is (ADR 47)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import out_of_time
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioOptions, LoadedAudio, MediaFile
from whisper_runtime.service.client_identity import label
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.result_cache.cache import ResultCache
from whisper_runtime.service.result_cache.content import Hit, KnownAudio, KnownResult
from whisper_runtime.service.result_cache.directives import CacheDirectives
from whisper_runtime.service.result_cache.flight import Flight, Work
from whisper_runtime.service.result_cache.keys import audio_digest
from whisper_runtime.service.result_cache.replay import not_kept, note_outcome, replay, status_header
from whisper_runtime.service.transcribe import SegmentStream, Transcriber, counted_seconds, note_text


@dataclass(frozen=True)
class Wanted:
    """What one request asks for."""

    source: MediaFile | RemoteFile
    admitted: Admitted
    options: Options
    audio_options: AudioOptions
    is_stream: bool
    since: float
    """By time.perf_counter."""


@dataclass(frozen=True)
class Begun:
    """A flight that a request has begun."""

    flight: Flight


@dataclass(frozen=True)
class CachedTranscriber:
    """For one request."""

    transcriber: Transcriber
    cache: ResultCache
    directives: CacheDirectives
    file_digest: str | None
    """sha256 of the uploaded file in hex; None: there is none."""

    @property
    def takes_urls(self) -> bool:
        """Whether a recording may be on another server."""
        return self.transcriber.takes_urls

    async def transcribe(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        options: Options,
        stream: SegmentStream | None = None,
        audio_options: AudioOptions = DEFAULT_AUDIO,
    ) -> Transcription:
        """As Transcriber.transcribe; 504 for what is not kept, where nothing else is wanted."""
        if self.directives.no_store or not self.cache.keeps(options):
            if self.directives.only_if_cached:
                raise not_kept()
            note_outcome(admitted, self.cache.metrics, "bypass", "fwd=bypass")
            return await self.transcriber.transcribe(source, admitted, options, stream, audio_options)
        wanted = Wanted(source, admitted, options, audio_options, stream is not None, time.perf_counter())
        try:
            async with asyncio.timeout(self.transcriber.request_timeout):
                found = await self._transcribe(wanted, stream)
        except TimeoutError:
            raise out_of_time(self.transcriber.request_timeout) from None
        note_text(found)
        return found

    async def _transcribe(self, wanted: Wanted, stream: SegmentStream | None) -> Transcription:
        upload = self._upload_key(wanted)
        async with self._turn(wanted, upload):
            audio = await self.cache.audio(upload) if upload else None
            found = await self._known(wanted, audio) if audio else None
            if found is None:
                found = await self._decode(wanted, upload)
        match found:
            case Hit():
                return replay(found, wanted.admitted, self.cache.metrics, stream)
            case Flight():
                return await self._board(found, wanted.admitted, stream)
            case Begun():
                return await self._land(found, wanted.admitted, stream)

    @asynccontextmanager
    async def _turn(self, wanted: Wanted, upload: str | None) -> AsyncGenerator[None]:
        """The request's turn to decode that upload. Until it has it, it waits for no row: it may well need none."""
        place = wanted.admitted.place
        was_waiting, place.is_waiting = place.is_waiting, False
        async with self.cache.decoding(upload):
            place.is_waiting = was_waiting
            yield

    def _upload_key(self, wanted: Wanted) -> str | None:
        """None: the file is still on another server, or its type is not clear."""
        if self.file_digest is None or not isinstance(wanted.source, MediaFile):
            return None
        client = wanted.admitted.client
        return self.cache.upload_key(client, self.file_digest, wanted.source, wanted.options, wanted.audio_options)

    async def _known(self, wanted: Wanted, audio: KnownAudio) -> Hit | Flight | None:
        """What there is of the result for this audio; None: nothing that the request takes."""
        key = self._result_key(wanted, audio)
        wanted.admitted.track = audio.track
        if hit := await self.cache.hit(key, self.directives):
            return hit
        if self.directives.only_if_cached or self.directives.no_cache:
            return None
        return self.cache.flight(key)

    async def _decode(self, wanted: Wanted, upload: str | None) -> Hit | Flight | Begun:
        """What there is of the result, now that the audio is known, and else a flight to it. Raises HttpError."""
        with ExitStack() as held:
            disk = held.enter_context(wanted.admitted.samples)
            speakers = await self.transcriber.known_speakers(wanted.audio_options)
            loaded = await self.transcriber.load(
                wanted.source, wanted.admitted, disk, wanted.options, wanted.audio_options
            )
            try:
                digest = await asyncio.to_thread(audio_digest, [one.samples for one in loaded])
                audio = KnownAudio(digest, wanted.admitted.track)
                if upload:
                    await self.cache.keep_audio(upload, audio)
                if found := await self._known(wanted, audio):
                    return found
                if self.directives.only_if_cached:
                    raise not_kept()
                seconds = counted_seconds(loaded, wanted.audio_options)
                held.enter_context(self.transcriber.admission.after_decoding(wanted.admitted, seconds))
            except BaseException:
                loaded.clear()  # or a traceback keeps the recording on the disk until it is collected
                raise
            held.enter_context(wanted.admitted.lasting_place())
            held_on = held.pop_all()
            work = partial(self._run, wanted, loaded, speakers, held_on)
            return Begun(self._begin(self._result_key(wanted, audio), wanted, work, held_on))

    def _begin(self, key: str, wanted: Wanted, work: Work, held: ExitStack) -> Flight:
        """A flight, for which another pod may run the model; a stream wants its text before that has all of it."""
        if wanted.is_stream:
            return self.cache.begin(key, work)
        return self.cache.begin_in_turn(key, work, held.close, self.directives)

    async def _run(
        self,
        wanted: Wanted,
        loaded: list[LoadedAudio],
        speakers: Sequence[KnownSpeaker],
        held: ExitStack,
        flight: Flight,
    ) -> Transcription:
        """The work of a flight, which may go on when the request that began it is over."""
        with held:
            try:
                on_segments = self.transcriber.until_text(wanted.since, flight.on_segments)
                found = await self.transcriber.run(
                    loaded,
                    wanted.admitted,
                    wanted.options,
                    wanted.audio_options,
                    on_segments,
                    flight.on_progress,
                    known=speakers,
                )
            finally:
                loaded.clear()
        seconds = time.perf_counter() - wanted.since
        self.transcriber.metrics.transcribed(found, seconds, label(wanted.admitted.client))
        return found

    async def _board(self, flight: Flight, admitted: Admitted, stream: SegmentStream | None) -> Transcription:
        """Joins the flight of another request."""
        admitted.place.is_waiting = False  # the flight has the place of who began it
        note_outcome(admitted, self.cache.metrics, "join", "fwd=miss; collapsed")
        result = await _landed(flight, stream)
        self.cache.metrics.saved(result.transcription.audio_seconds, result.model_seconds)
        return result.transcription

    async def _land(self, begun: Begun, admitted: Admitted, stream: SegmentStream | None) -> Transcription:
        """Joins the flight that this request has begun."""
        status = "fwd=request" if self.directives.no_cache else "fwd=miss"
        admitted.cache_headers = status_header(status)
        result = await _landed(begun.flight, stream)
        if begun.flight.is_anothers:
            admitted.return_audio()
            admitted.cache_headers = status_header(f"{status}; collapsed")
            self.cache.metrics.saved(result.transcription.audio_seconds, result.model_seconds)
        elif not result.transcription.is_sampled:
            admitted.cache_headers = status_header(f"{status}; stored")
        return result.transcription

    def _result_key(self, wanted: Wanted, audio: KnownAudio) -> str:
        return self.cache.key(wanted.admitted.client, audio.digest, wanted.options, wanted.audio_options)


async def _landed(flight: Flight, stream: SegmentStream | None) -> KnownResult:
    """What the flight comes to; `stream` gets all of its segments."""
    if stream is None:
        return await flight.join()
    stream.accepted.set()
    return await flight.join(stream.put)
