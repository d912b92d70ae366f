"""Makes jobs of requests: reads the recording, counts it for its client, and puts both into the store.

It needs no model: a front does it, too, while no server is there (ADR 112).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.engine.transcription import Options
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DECODE_SECONDS, AudioOptions, LoadedAudio, MediaFile
from whisper_runtime.service.disk_quota import Reservation
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.jobs.content import JobRequest, KeepAudio, KeptRecording
from whisper_runtime.service.jobs.job import Job, JobDraft, KeyInUse
from whisper_runtime.service.jobs.store import JobStore
from whisper_runtime.service.result_cache.keys import audio_digest
from whisper_runtime.service.speaker_options import counted


@dataclass(frozen=True)
class SubmittedForm:
    """What a client asks for, beside its file."""

    options: Options
    audio_options: AudioOptions
    response: Mapping[str, Any]
    """JSON of the response that it wants."""
    metadata: Mapping[str, str]
    idempotency_key: str | None
    body_digest: str
    webhook_url: str | None
    uses_results: bool = True
    """Whether a result that is kept may be taken, and this one kept."""


class RecordingReader(Protocol):
    """Reads what a job is made of."""

    async def known_speakers(self, audio_options: AudioOptions) -> Sequence[KnownSpeaker]:
        """The speakers whom a request names. Raises HttpError."""
        ...

    async def load(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        disk: Reservation,
        options: Options,
        audio_options: AudioOptions,
    ) -> list[LoadedAudio]:
        """As AudioLoader.load. Raises HttpError."""
        ...


@dataclass(frozen=True)
class JobIntake:
    store: JobStore
    reader: RecordingReader
    keep_audio: KeepAudio
    keeps_results: bool
    """Whether a job's result may be known before it is begun."""
    submitting: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Client and idempotency key of each request that is on its way to be a job."""

    async def submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        """The job of this request; where the client repeats one, the job that it has.

        The recording is decoded first, so that what cannot be is refused here. Raises HttpError as the reader does,
        KeyReused, KeyInUse, JobStoreFull, and JobQuotaReached; that before the recording is decoded where it can be.
        """
        client, key = admitted.client, form.idempotency_key
        if key and (found := await self.store.with_key(client, key, form.body_digest)):
            return found
        await self.store.check_quota(client)
        with self._claimed_key(client, key):
            return await self._submit(source, admitted, form)

    @contextmanager
    def _claimed_key(self, client: str, key: str | None) -> Generator[None]:
        """Keeps other requests with this key away meanwhile; another process' are sorted out by the store alone."""
        if key is None:
            yield
            return
        if (client, key) in self.submitting:
            raise KeyInUse
        self.submitting.add((client, key))
        try:
            yield
        finally:
            self.submitting.remove((client, key))

    async def _submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        client = admitted.client
        with admitted.samples as disk, tempfile.TemporaryFile() as kept:
            speakers = form.audio_options.speakers
            known = [one.samples for one in await self.reader.known_speakers(form.audio_options)]
            loaded = await self.reader.load(source, admitted, disk, form.options, form.audio_options)
            recordings = tuple(KeptRecording(len(one.samples), one.clips) for one in loaded)
            seconds = sum(one.samples for one in recordings) / SAMPLE_RATE
            try:
                admitted.charge_audio(counted(seconds, speakers))
                disk.set(disk.size * 2)  # for the file beside the samples, too
                await self.keep_audio([*(one.samples for one in loaded), *known], kept, DECODE_SECONDS)
                digest = await self._digest(loaded, form)
            finally:
                loaded.clear()  # or a traceback keeps the samples on the disk until it is collected
            request = JobRequest(
                form.options,
                recordings,
                form.audio_options.separate_channels,
                form.response,
                digest,
                form.audio_options.detection,
                speakers and speakers.without_content(),
                tuple(map(len, known)),
            )
            draft = JobDraft(
                client,
                request.to_json(),
                seconds,
                form.metadata,
                form.idempotency_key,
                form.body_digest,
                form.webhook_url,
            )
            return await self.store.put(draft, kept)

    async def _digest(self, loaded: Sequence[LoadedAudio], form: SubmittedForm) -> str | None:
        """By which the result may be known; None: it may not."""
        if not (self.keeps_results and form.uses_results):
            return None
        return await asyncio.to_thread(audio_digest, [one.samples for one in loaded])
