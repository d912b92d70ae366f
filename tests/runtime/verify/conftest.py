"""A server of the fake engine, the recording that a verification sends, and fakes of single responses."""

from __future__ import annotations

import logging
import os
import wave
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from tests.fakes.engine import SEGMENT, SPOKEN
from whisper_runtime.contract.reports import VerifyReport
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.verify.checks import VerifyTarget
from whisper_runtime.verify.client import HttpResponse, ServiceClient
from whisper_runtime.verify.run import VerifyOptions

SECONDS = 2.5
SILENT = replace(SEGMENT, text=" Hello.", words=())
OTHER_WORDS = replace(SPOKEN, text=" Hello.", segments=(SILENT,))
SPEAKING = {"transcribes", "json", "text", "srt", "vtt", "verbose-json", "word-times", "stream", "translates"}
KEYS = {"no-key", "wrong-key", "wrong-key-at-once"}
CLUSTER = {"health", "ready", "metrics", "not-root"}
GOOD = SPEAKING | {"model", "language", "refuses-nonsense", "all-answered", "body-limit", "cors"}


async def decode(media: IO[bytes], **_: Any) -> DecodedAudio:
    """Accepts a wav as audio, and nothing else."""
    if not media.read().startswith(b"RIFF"):
        raise AudioError("NotAudio", "The file is not audio.")
    return DecodedAudio(np.zeros(int(SECONDS * 16_000), dtype=np.float32), None)


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    """The command line configures the process's logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def is_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests run within the tests' own process."""
    monkeypatch.setattr(os, "geteuid", lambda: 65532)


@pytest.fixture
def golden(tmp_path: Path) -> str:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(int(SECONDS * 32_000)))
    (tmp_path / "clip.txt").write_text("Ask not.")
    return str(tmp_path)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """A key; its directory is what a server with authentication reads."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "alice").write_text("key-of-alice\n")
    return str(tmp_path / "keys" / "alice")


def options(url: str, golden: str, **fields: Any) -> VerifyOptions:
    known: dict[str, Any] = {"metrics_url": None, "api_key_file": None, "max_word_error_rate": 0.2}
    known |= {"requests": 3, "concurrency": 2}
    return VerifyOptions(url=url, golden_dir=golden, **(known | fields))


def outcomes(report: VerifyReport, passed: bool) -> set[str]:
    return {check.name for check in report.checks if check.passed == passed}


class CannedClient(ServiceClient):
    """Answers every request with one response."""

    def __init__(self, text: str = "", status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__("http://nobody.invalid", None, 1)
        self._response = HttpResponse(status, headers or {}, text.encode(), 0.5)

    def request(self, *_: Any, **__: Any) -> HttpResponse:
        return self._response


def target(server: ServiceClient, metrics: ServiceClient | None = None) -> VerifyTarget:
    return VerifyTarget(server, b"RIFF", "Ask not.", 0.2, SECONDS, metrics)
