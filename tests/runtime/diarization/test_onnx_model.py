"""Which ONNX files are speaker encoders, and what they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.onnx_encoders import TensorShape, ge2e_encoder, linear_encoder
from whisper_runtime.diarization.embedding import WINDOW_SAMPLES, VoiceScale
from whisper_runtime.diarization.fbank import log_mel_bands
from whisper_runtime.diarization.ge2e import Ge2eNetwork, shapes
from whisper_runtime.diarization.onnx_model import SCALE, load_onnx, with_scale
from whisper_runtime.engine.interface import CannotLoad

RNG = np.random.default_rng(24)
WEIGHTS = RNG.normal(0, 1, (80, 6)).astype(np.float32)
PIECES = RNG.normal(0, 0.05, (3, WINDOW_SAMPLES)).astype(np.float32)


def test_the_same_network_as_an_onnx_file_gives_the_same_voices() -> None:
    random = torch.Generator().manual_seed(24)
    weights = {name: torch.randn(shape, generator=random) * 0.1 for name, shape in shapes().items()}
    by_torch = Ge2eNetwork(weights).embeddings(PIECES)
    by_onnx = load_onnx("voices.onnx", ge2e_encoder(weights)).embeddings(PIECES)
    np.testing.assert_allclose(by_onnx, by_torch, atol=2e-5)


@pytest.mark.parametrize(("metadata", "scale"), [({}, 32768), ({"normalize_samples": "1"}, 1)])
def test_wespeakers_networks_are_given_log_mel_bands_without_their_mean(metadata: dict[str, str], scale: float) -> None:
    found = load_onnx("voices.onnx", linear_encoder(WEIGHTS, metadata=metadata)).embeddings(PIECES)
    assert log_mel_bands(PIECES[0], scale).shape == (158, 80)
    # The mean over time of what has no mean is what rounding leaves of it: a length of 1 makes that large.
    assert found.shape == (3, 6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("batch", [1, "batch"])
def test_a_file_that_takes_one_piece_at_a_time_gets_one(batch: int | str) -> None:
    weights = RNG.normal(0, 1, (WINDOW_SAMPLES, 4)).astype(np.float32)
    model = load_onnx("voices.onnx", linear_encoder(weights, (batch, 1, WINDOW_SAMPLES), (batch, 4)))
    expected = PIECES @ weights
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(model.embeddings(PIECES), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param(("batch", "frames", 40), r"takes feats0 tensor\(float\) \('batch', 'frames', 40\)", id="bands"),
        pytest.param(("batch", 80, "frames"), r"\('batch', 80, 'frames'\)", id="time last"),
        pytest.param(("batch", 200, 80), r"\('batch', 200, 80\)", id="2 s"),
        pytest.param((8, "frames", 80), r"\(8, 'frames', 80\)", id="eight at once"),
        pytest.param(("batch", "frames", 80, 1), r"\('batch', 'frames', 80, 1\)", id="pictures"),
    ],
)
def test_another_input_is_named_with_the_remedy(given: TensorShape, found: str) -> None:
    rows = given[-1] if isinstance(given[-1], int) else 80
    with pytest.raises(CannotLoad, match=found + r".*one of these is needed: samples \(batch, 25600\).*: export the"):
        load_onnx("voices.onnx", linear_encoder(np.ones((rows, 6), np.float32), given))


def test_a_file_with_two_inputs_is_named() -> None:
    with pytest.raises(CannotLoad, match=r"voices\.onnx takes feats0 .*, feats1 .*, and one input of float32"):
        load_onnx("voices.onnx", linear_encoder(WEIGHTS, inputs=2))


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"sample_rate": "8000"}, "sample_rate=8000 in its metadata, and 16000"),
        ({"feature_normalize_type": "per_feature"}, "feature_normalize_type=per_feature .*, and global-mean"),
    ],
)
def test_metadata_of_another_spectrum_is_named(metadata: dict[str, str], found: str) -> None:
    with pytest.raises(CannotLoad, match=f"voices.onnx says {found} is needed"):
        load_onnx("voices.onnx", linear_encoder(WEIGHTS, metadata=metadata))


def test_an_output_that_is_no_row_of_numbers_is_named() -> None:
    with pytest.raises(CannotLoad, match=r"gives embs .*, and an output \(batch, width\) is needed"):
        load_onnx("voices.onnx", linear_encoder(np.ones((2, 80, 6), np.float32), found=("two", "batch", "width")))


def test_numbers_that_are_none_are_named() -> None:
    with pytest.raises(CannotLoad, match=r"of finite numbers is needed"):
        load_onnx("voices.onnx", linear_encoder(np.full((80, 6), np.nan, np.float32)))


def test_what_fails_with_speech_is_named() -> None:
    with pytest.raises(CannotLoad, match=r"fails with two pieces of 1\.6 s"):
        load_onnx("voices.onnx", linear_encoder(WEIGHTS, ("batch", "one", "time")))


def test_what_onnxruntime_cannot_read_is_named() -> None:
    with pytest.raises(CannotLoad, match=r"voices\.onnx cannot be read by onnxruntime"):
        load_onnx("voices.onnx", b"\x08RIFF no network")


def test_weights_in_another_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnx

    model = onnx.load_model_from_string(linear_encoder(WEIGHTS))
    onnx.save(model, tmp_path / "voices.onnx", save_as_external_data=True, location="others.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CannotLoad, match="cannot be read by onnxruntime"):
        load_onnx("voices.onnx", (tmp_path / "voices.onnx").read_bytes())


def test_thresholds_of_the_file_are_taken_and_the_last_ones_count() -> None:
    content = linear_encoder(WEIGHTS, metadata={"normalize_samples": "1"})
    assert load_onnx("voices.onnx", content).scale == SCALE
    mine, later = VoiceScale(0.7, 0.5, 0.4, 0.6), VoiceScale(0.75, 0.55, 0.45, 0.65)
    assert load_onnx("voices.onnx", with_scale(content, mine)).scale == mine
    assert load_onnx("voices.onnx", with_scale(with_scale(content, mine), later)).scale == later
    before, after = (load_onnx("voices.onnx", one).embeddings(PIECES) for one in (content, with_scale(content, mine)))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("said", ["0.7 0.5 0.4", "0.7 0.5 0.4 1.6", "high", ""])
def test_thresholds_that_are_none_are_named(said: str) -> None:
    with pytest.raises(CannotLoad, match=r"says whisper_operator_scale='.*' in its metadata, and four numbers between"):
        load_onnx("voices.onnx", linear_encoder(WEIGHTS, metadata={"whisper_operator_scale": said}))
