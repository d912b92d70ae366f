"""What becomes of requests whose client goes away, and of a model that cannot be proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from whisper_runtime import golden
from whisper_runtime.engine import model
from whisper_runtime.engine.protocol import Samples, State
from whisper_runtime.engine.scheduler import Scheduler
from whisper_runtime.engine.transcription import Options

SECOND = np.zeros(16_000, dtype=np.float32)


def failed(engine: Scheduler) -> str:
    engine.start()
    engine._thread.join(60)
    assert engine.state is State.FAILED
    assert engine.error
    return engine.error


def test_a_file_that_is_no_checkpoint_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no checkpoint")
    assert "model.pt is no checkpoint" in failed(
        Scheduler(lambda: model.load(tmp_path / "model.pt", "cpu", "auto"), lambda transcribe: None)
    )


def test_a_pickle_that_runs_code_is_not_loaded(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    (tmp_path / "model.pt").write_bytes(pickle.dumps(Evil()))
    failed(Scheduler(lambda: model.load(tmp_path / "model.pt", "cpu", "auto"), lambda transcribe: None))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("compute_type", ["float16", "bfloat16"])
def test_what_a_cpu_cannot_do_is_refused(compute_type: str, weights: dict[str, Path]) -> None:
    load = lambda: model.load(weights["tiny.en"], "cpu", compute_type)  # noqa: E731 # pyright: ignore
    assert compute_type in failed(Scheduler(load, lambda transcribe: None))


def test_a_model_that_hears_something_else_is_never_ready(weights: dict[str, Path], tmp_path: Path) -> None:
    """Given a clip of silence that should be words."""
    import wave

    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(32_000))
    (tmp_path / "clip.txt").write_text("Please call me back tomorrow morning.")
    engine = Scheduler(
        lambda: model.load(weights["tiny.en"], "cpu", "auto"),
        lambda transcribe: golden.prove(str(tmp_path), transcribe),
    )
    assert "of the golden clip's words wrong" in failed(engine)


def test_without_a_clip_nothing_is_proven(tmp_path: Path) -> None:
    def transcribe(samples: Samples) -> str:
        raise AssertionError("there is nothing to transcribe")

    with pytest.raises(golden.NotProven, match="WHISPER_GOLDEN_DIR"):
        golden.prove(str(tmp_path), transcribe)


@pytest.mark.parametrize(
    ("expected", "heard", "rate"),
    [
        ("Ask not.", " ask not", 0.0),
        ("Please call me back", "Please call me", 0.25),
        ("one two", "one three two", 0.5),
        ("one two", "", 1.0),
    ],
)
def test_the_word_error_rate(expected: str, heard: str, rate: float) -> None:
    assert golden.word_error_rate(expected, heard) == rate


def test_a_cancelled_request_gives_its_place_back() -> None:
    engine = Scheduler(lambda: pytest.fail("never started"), lambda transcribe: None)
    kept, cancelled = engine.submit(SECOND, Options()), engine.submit(SECOND, Options())
    assert engine.queued_audio_seconds == 2
    cancelled.cancel()
    assert engine.queued_audio_seconds == 1
    engine.stop()
    assert kept.cancelled()
