"""What is kept of a job: its audio, the request as JSON, and the transcription as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.engine.interface import Abilities, Samples
from whisper_runtime.engine.speech.spans import SpeechDetection
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.service.audio_loading import AudioOptions, Decode, LoadedAudio
from whisper_runtime.service.jobs.job import JobError
from whisper_runtime.service.languages import knows
from whisper_runtime.service.speaker_options import SpeakerOptions


class KeepAudio(Protocol):
    """Writes recordings, one behind the other, as media.kept_audio.keep_audio does."""

    def __call__(self, recordings: Sequence[Samples], target: IO[bytes], timeout: float) -> Awaitable[None]: ...


@dataclass(frozen=True)
class AudioCodec:
    keep: KeepAudio
    read: Decode[DecodedAudio]
    """Gives back what `keep` has written, sample by sample."""


@dataclass(frozen=True)
class KeptRecording:
    """A recording of the job's audio, or one channel of it."""

    samples: int
    clips: tuple[float, ...] | None
    """As in LoadedAudio."""


@dataclass(frozen=True)
class JobRequest:
    """What a job is to do: all that the form said, resolved."""

    options: Options
    recordings: tuple[KeptRecording, ...]
    """In the order in which the job's audio has them, one behind the other."""
    separate_channels: bool
    response: Mapping[str, Any]
    """JSON of the response that was asked for; only the HTTP side reads it."""
    audio_digest: str | None = None
    """Of all recordings (result_cache.keys); None: a result that is kept is not taken, nor this one kept."""
    detection: SpeechDetection | None = None
    """By which the recordings' clips were found."""
    speakers: SpeakerOptions | None = None
    """What is asked of speakers, without the content of references; None: nothing is."""
    references: tuple[int, ...] = ()
    """Samples of each reference; the job's audio has them behind the recordings."""

    @property
    def audio_options(self) -> AudioOptions:
        return AudioOptions(self.separate_channels, self.detection, self.speakers)

    def to_json(self) -> str:
        return to_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> JobRequest:
        """Raises ValueError for what `to_json` did not write."""
        return REQUEST.validate_json(text)

    def split(self, samples: Samples) -> list[LoadedAudio]:
        """The recordings of the job's audio; raises ValueError where it has not their samples."""
        wanted = sum(one.samples for one in self.recordings) + sum(self.references)
        if len(samples) != wanted:
            raise ValueError(f"the job's audio has {len(samples)} samples, and {wanted} were kept")
        found: list[LoadedAudio] = []
        for one in self.recordings:
            found.append(LoadedAudio(samples[: one.samples], one.clips))
            samples = samples[one.samples :]
        return found

    def known_speakers(self, samples: Samples) -> list[KnownSpeaker]:
        """The speakers whom the request names, by the job's audio."""
        at, known = sum(one.samples for one in self.recordings), list[KnownSpeaker]()
        for reference, length in zip(self.speakers.references if self.speakers else (), self.references, strict=True):
            known.append(KnownSpeaker(reference.name, np.array(samples[at : at + length])))  # not the file on the disk
            at += length
        return known

    def misfit(self, abilities: Abilities, *, diarizes: bool = False) -> JobError | None:
        """Why a model of these abilities cannot do it, as one that was changed since; None: it can.

        `diarizes`: whether speakers are told apart beside it.
        """
        codes = {*self.options.languages, self.options.language} - {None}
        if self.options.task == "translate" and not abilities.translates:
            what = "does not translate"
        elif lacking := sorted(code for code in codes if code and not knows(abilities.languages, code)):
            what = f"does not know the language {lacking[0]}"
        elif self.speakers and not diarizes:
            what = "does not tell speakers apart"
        else:
            return None
        message = f"The server's model was changed, and the present one {what}: send the recording again, without that."
        return {"message": message, "type": "invalid_request_error", "param": None, "code": "model_changed"}


@dataclass(frozen=True)
class JobResult:
    """What a job came to."""

    transcription: Transcription
    model: str
    """The name of the model that ran: all of the job runs on one."""
    english_only: bool
    """Whether that one knows English alone; its tokens are others then."""

    def to_json(self) -> bytes:
        return to_json(self, inf_nan_mode="constants", exclude_none=True)

    @classmethod
    def from_json(cls, content: bytes) -> JobResult:
        """Raises ValueError for what `to_json` did not write."""
        return RESULT.validate_python(from_json(content, allow_inf_nan=True))


REQUEST: Final = TypeAdapter(JobRequest)
RESULT: Final = TypeAdapter(JobResult)
