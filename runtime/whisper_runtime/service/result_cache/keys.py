"""The names under which results are kept: each a digest of all that decides the text, and of nothing else.

Not of the response's format, nor of whether it is a stream: both are made of the result. Not of time-outs, and not of
what shares a batch, which changes no text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.transcription import ENGINE_VERSION, Options
from whisper_runtime.media.raw_audio import RawAudio
from whisper_runtime.service.audio_loading import AudioOptions, wanted_languages
from whisper_runtime.service.model_info import ModelInfo


def upload_key(
    owner: str, file_digest: str, raw: RawAudio | None, options: Options, audio: AudioOptions, decoder: str
) -> str:
    """Of what the decoder makes of a file: its bytes, how they are read where they have no header (None: they have
    one), and the track and channels that are wanted; `decoder`: which one it is."""
    wanted = [wanted_languages(options), audio.separate_channels]
    return _digest("upload", owner, file_digest, raw and asdict(raw), wanted, decoder)


def serving_key(digest: str, *configured: str) -> str:
    """Of what is known of servers whose checkpoint has this digest, and which are configured so."""
    return _digest("serving", digest, configured, ENGINE_VERSION)


def audio_digest(recordings: Sequence[Samples]) -> str:
    """Of the samples of a recording, or of its channels. Takes a second for an hour or two: not for the event loop."""
    digest = hashlib.sha256(json.dumps([len(samples) for samples in recordings]).encode())
    for samples in recordings:
        digest.update(samples.data)
    return digest.hexdigest()


def result_key(owner: str, digest: str, options: Options, audio: AudioOptions, model: ModelInfo) -> str:
    """Of a transcription of the audio that has this digest, by a model whose digest is known."""
    computed = [model.digest, model.precision, ENGINE_VERSION]
    of_channels = asdict(replace(audio, speakers=None))
    of_channels.pop("speakers")
    speakers = [[audio.speakers.key, model.diarizer_digest]] if audio.speakers else []
    return _digest("result", owner, digest, asdict(options), of_channels, computed, *speakers)


def is_repeatable(options: Options) -> bool:
    """Whether the same audio is likely to come to the same text: a sample is drawn for each request anew."""
    return options.temperatures[0] == 0


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
