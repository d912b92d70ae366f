"""A front reads a file as a server does, counts it for its client, and leaves to servers what it cannot judge."""

from __future__ import annotations

import tempfile
from typing import Any, Final

import pytest

from tests.support.media_files import wav_tone
from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.engine.speech.spans import SpeechDetection
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.front.recording_reader import FileReader
from whisper_runtime.media.decode import decode
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioOptions, LoadedAudio, MediaFile
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.speaker_options import SpeakerOptions, SpeakerReference

NOBODY: Final = SpeakerOptions(SpeakerBounds())
SOMEBODY: Final = SpeakerOptions(SpeakerBounds(), (SpeakerReference("Ann", "a" * 64),))


class ReadRequest:
    """One request of a client whose rates are `rates`."""

    def __init__(self, rates: RateLimits, max_seconds: float = 60) -> None:
        shares = FairShare()
        self.disk = DiskQuota(10**9, lambda: 1)
        self.admitted = Admitted(shares.take("ann", None), shares, RateLimits(None, None), self.disk, 10**9)
        self.reader = FileReader(decode, rates, max_seconds)

    async def load(self, content: bytes | None = None, audio: AudioOptions = DEFAULT_AUDIO) -> list[LoadedAudio]:
        """`content` None: the recording is on another server."""
        with tempfile.TemporaryFile() as file, self.admitted.samples as disk:
            file.write(content or b"")
            file.seek(0)
            source = RemoteFile("https://media.example.com/a.wav") if content is None else MediaFile(file)
            loaded = await self.reader.load(source, self.admitted, disk, Options(), audio)
            assert disk.size == sum(one.samples.nbytes for one in loaded)
            return loaded


async def test_a_file_is_all_of_its_samples_and_one_request_of_its_client() -> None:
    rates = RateLimits(60, None)
    request = ReadRequest(rates)
    (loaded,) = await request.load(wav_tone(2))
    assert (len(loaded.samples), loaded.clips) == (32_000, None)
    assert request.admitted.headers["x-ratelimit-remaining-requests"] == "59"


async def test_a_client_that_has_to_wait_is_told_so() -> None:
    rates = RateLimits(1, None)
    await ReadRequest(rates).load(wav_tone(1))
    with pytest.raises(HttpError) as refused:
        await ReadRequest(rates).load(wav_tone(1))
    assert refused.value.status_code == 429


@pytest.mark.parametrize(
    ("content", "audio", "max_seconds"),
    [
        (None, {}, 60),
        (b"no recording", {}, 60),
        (b"", {}, 60),
        (wav_tone(2), {}, 1),
        (wav_tone(2), {"separate_channels": True}, 60),
        (wav_tone(2), {"detection": SpeechDetection()}, 60),
    ],
    ids=["elsewhere", "no audio", "empty", "too long", "channels", "detection"],
)
async def test_what_a_server_judges_costs_the_client_nothing_here(
    content: bytes | None, audio: dict[str, Any], max_seconds: float
) -> None:
    rates = RateLimits(60, None)
    with pytest.raises(HttpError) as left:
        await ReadRequest(rates, max_seconds).load(content, AudioOptions(**audio))
    assert (left.value.status_code, left.value.body["code"]) == (503, "for_a_server")
    assert rates.headers("ann")["x-ratelimit-remaining-requests"] == "60"


async def test_speakers_are_found_later_but_those_that_a_request_names() -> None:
    reader = ReadRequest(RateLimits(None, None)).reader
    for unnamed in (None, NOBODY):
        assert await reader.known_speakers(AudioOptions(speakers=unnamed)) == ()
    with pytest.raises(HttpError):
        await reader.known_speakers(AudioOptions(speakers=SOMEBODY))
