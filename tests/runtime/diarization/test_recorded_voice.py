"""One voice is itself by telephone and from a studio, and another one is not it."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
import torch

from benchmarks.diarization.dialogues import by_telephone, dialogue, in_8_kilohertz
from benchmarks.diarization.kinds import Sound, as_it_is
from testbed import wheels
from whisper_runtime.diarization.clustering import Vectors, middle
from whisper_runtime.diarization.embedding import EmbeddingModel, voices
from whisper_runtime.diarization.ge2e import SCALE, Ge2eNetwork
from whisper_runtime.diarization.interface import Cancelled
from whisper_runtime.diarization.recorded_voice import MOST_WINDOWS, RecordedVoice, likenesses
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span

SOUNDS: dict[str, Sound] = {"studio": as_it_is, "telephone": by_telephone, "internet": in_8_kilohertz}
"""What a recording goes through."""


class CountsPieces:
    """An EmbeddingModel to which all windows sound alike, and which counts them."""

    scale = SCALE

    def __init__(self) -> None:
        self.pieces = 0

    def embeddings(self, pieces: Samples) -> npt.NDArray[np.float32]:
        self.pieces += len(pieces)
        return np.tile(np.float32([1, 0]), (len(pieces), 1))


def never() -> bool:
    return False


@cache
def real() -> Ge2eNetwork:
    return Ge2eNetwork(
        torch.load(wheels.ensure(wheels.RESEMBLYZER), map_location="cpu", weights_only=True)["model_state"]
    )


def recorded(actor: str, seed: int, sound: Sound, model: EmbeddingModel, seconds: float = 20) -> RecordedVoice:
    """Of some lines of the actor."""
    samples = sound(dialogue(seed, (actor,), seconds).samples)
    windows = [Span(at, at + 1.6) for at in np.arange(0.5, seconds - 2, 0.4).tolist()]
    return RecordedVoice(middle(voices(model, samples, windows, never)), samples, windows)


@cache
def of_actors(sound: str, seed: int) -> list[RecordedVoice]:
    return [recorded(actor, seed, SOUNDS[sound], real()) for actor in ("nl/v", "nl/m")]


def alike(recording: str, reference: str) -> Vectors:
    """How alike two actors are in a recording to references of both, by other lines."""
    return likenesses(of_actors(recording, 3), of_actors(reference, 4), real(), never)


@pytest.mark.slow
@pytest.mark.parametrize("reference", SOUNDS)
@pytest.mark.parametrize("recording", SOUNDS)
def test_a_voice_is_itself_whatever_it_went_through(recording: str, reference: str) -> None:
    found = alike(recording, reference)
    assert found.diagonal().min() >= SCALE.same + 0.05, found
    assert max(found[0, 1], found[1, 0]) < found.diagonal().min() - 0.05, found


@pytest.mark.slow
def test_of_one_band_voices_are_compared_as_they_are_and_at_no_cost() -> None:
    model = CountsPieces()
    speakers, known = of_actors("telephone", 3), of_actors("telephone", 4)
    found = likenesses(speakers, known, model, never)
    assert np.allclose(found, [[one.middle @ other.middle for other in known] for one in speakers])
    assert model.pieces == 0


@pytest.mark.slow
def test_each_pair_is_compared_as_its_own_bands_are() -> None:
    mixed = [of_actors("studio", 4)[0], of_actors("telephone", 4)[1]]
    found = likenesses(of_actors("studio", 3), mixed, real(), never)
    assert np.allclose(found[:, 0], alike("studio", "studio")[:, 0])
    assert np.allclose(found[:, 1], alike("studio", "telephone")[:, 1], atol=1e-3)


@pytest.mark.slow
def test_what_it_costs_has_a_bound() -> None:
    model = CountsPieces()
    long, short = (recorded("cs/v", 3, sound, model, 30) for sound in (as_it_is, by_telephone))
    model.pieces = 0
    likenesses([long], [short], model, never)
    assert len(long.windows) > MOST_WINDOWS
    assert model.pieces == 2 * MOST_WINDOWS


@pytest.mark.slow
def test_a_request_that_is_cancelled_ends_before_it_costs_anything() -> None:
    model = CountsPieces()
    with pytest.raises(Cancelled):
        likenesses(of_actors("studio", 3), of_actors("telephone", 4), model, lambda: True)
    assert model.pieces == 0
