"""An hour of speech as a job of a service without a pod, whose fronts are all killed once it is accepted."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.inputs import recordings
from tests.support import real_cluster, sleeping_jobs
from tests.support.kubectl import Kubectl
from tests.support.media_files import ffmpeg
from tests.support.traffic import joined
from tests.support.waiting import awaited

HOUR: Final = 3600
SENTENCE: Final = "ask what you can do for your country"
DONE_SECONDS: Final = 1800


@dataclass(frozen=True)
class HeldHour:
    """Seconds since it was sent."""

    megabytes: float
    """Of the upload."""
    accepted: float
    done: float
    audio_seconds: float
    attempts: int
    sentences: int
    """How often its text has the sentence that is said once in each round of the recording."""
    rounds: int
    front_mebibytes: float
    """The most memory of the front's process that took it; the decoder is another one."""


def run() -> HeldHour:
    with (
        tempfile.TemporaryDirectory() as name,
        real_cluster.fresh_namespace(real_cluster.running()) as kubectl,
        sleeping_jobs.asleep(kubectl, Path(name)) as service,
    ):
        audio, rounds = _hour(Path(name))
        began = time.monotonic()
        job = sleeping_jobs.submitted(service, audio)
        accepted, memory = time.monotonic() - began, max(_peak(service, pod) for pod in sleeping_jobs.fronts(service))
        sleeping_jobs.kill_fronts(service)
        done = awaited("it is done", lambda: sleeping_jobs.completed(service, job["id"]), DONE_SECONDS)
        ended = time.monotonic() - began
        said = sleeping_jobs.text(service, job["id"]).lower().count(SENTENCE)
    megabytes = len(audio) / 1e6
    return HeldHour(megabytes, accepted, ended, done["audio_seconds"], done["attempts"], said, rounds, memory)


def _hour(directory: Path) -> tuple[bytes, int]:
    """Real speech as an MP3 of an hour, and how often it begins anew."""
    folder = recordings.ensure()
    once = [*sorted((folder / "librivox").glob("*.wav")), folder / "jfk.wav"]
    (directory / "once.wav").write_bytes(joined([file.read_bytes() for file in once]))
    rounds = round(HOUR / 36)
    looped = ("-stream_loop", str(rounds - 1), "-i", directory / "once.wav", "-b:a", "48k", directory / "hour.mp3")
    ffmpeg(*looped)
    return (directory / "hour.mp3").read_bytes(), rounds


def _peak(service: Kubectl, pod: str) -> float:
    line = service("exec", pod, "--", "grep", "VmHWM", "/proc/1/status")
    return int(line.split()[1]) / 1024


def text(found: HeldHour) -> str:
    return f"""\
## An hour that is held

A service that sleeps, with jobs in a store and a bucket, gets {found.audio_seconds / 60:.0f} minutes of speech
({found.megabytes:.0f} MB of MP3) with `Prefer: respond-async`. The front decodes it and answers 202 after
{found.accepted:.1f} s; its process takes {found.front_mebibytes:.0f} MiB at most, the
samples among them, which are mapped from its disk. Then both pods of the front are
killed. The job is done {found.done:.0f} s after it was sent, in attempt {found.attempts}; a sentence that the recording
has {found.rounds} times is {found.sentences} times in its text.
"""
