"""Checkpoints become models: quickly, exactly, or with a sentence that says why not."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import whisper
from whisper.audio import N_FRAMES

from whisper_runtime.contract.config import ComputeType
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.engine.model import load, memory
from whisper_runtime.engine.model.load import CannotLoad

RELATIVE_ERROR = {"float32": 1e-4, "bfloat16": 0.05}


@pytest.mark.parametrize("compute_type", ["float32", "bfloat16"])
def test_the_encoder_is_upstreams_within_the_precision(compute_type: ComputeType, checkpoint: Path) -> None:
    mel = torch.randn(2, 80, N_FRAMES)
    with torch.inference_mode():
        wanted = whisper.load_model(str(checkpoint), device="cpu").encoder(mel)
        found = load.load(checkpoint, "cpu", compute_type).encoder(mel)
    assert (found - wanted).norm() / wanted.norm() < RELATIVE_ERROR[compute_type]


def test_the_decoder_is_upstreams_with_all_at_once_and_token_by_token(checkpoint: Path) -> None:
    """Given two rows at different positions."""
    theirs, mine = whisper.load_model(str(checkpoint), device="cpu"), load.load(checkpoint, "cpu", "float32")
    features, tokens = torch.randn(1, 1500, 16), list(range(50, 60))
    with torch.inference_mode():
        wanted = theirs.logits(torch.tensor([tokens]), features)[0]
        cache = mine.decoder.cache(2, 1500)
        for row in range(2):
            mine.decoder.listen(features, cache, row)
        all_at_once = mine.decoder.logits(mine.decoder([tokens], [0], cache, 0))[0]
        mine.decoder([tokens[:4]], [0], cache, 1)
        mine.decoder([tokens[:8]], [0], cache, 0)
        both = mine.decoder.logits(mine.decoder([[tokens[8]], [tokens[4]]], [8, 4], cache))[:, 0]
    assert torch.allclose(all_at_once, wanted, atol=1e-4)
    assert torch.allclose(both, wanted[[8, 4]], atol=1e-4)


def test_rows_of_one_window_read_it_once_and_hear_the_same(smallest: load.Model) -> None:
    features, tokens = torch.randn(1, 1500, 16), [[50, 51], [60, 61], [70, 71]]
    with torch.inference_mode():
        shared, own = smallest.decoder.cache(3, 1500, shared=True), smallest.decoder.cache(3, 1500)
        smallest.decoder.listen(features, shared, 0)
        for row in range(3):
            smallest.decoder.listen(features, own, row)
        assert torch.allclose(
            smallest.decoder(tokens, [0] * 3, shared), smallest.decoder(tokens, [0] * 3, own), atol=1e-5
        )
    assert shared.windows.numel() * 3 == own.windows.numel()


@pytest.mark.parametrize("name", ["base-4a31734c7179", "large-v3-turbo", "large-v3-e5b1a55b89c1", "tiny.en"])
def test_alignment_heads_are_those_of_the_models_name(name: str) -> None:
    known = max((one for one in whisper._ALIGNMENT_HEADS if name.startswith(one)), key=len)
    reference = torch.nn.Module()
    layers, heads = {"base": (6, 8), "large-v3-turbo": (4, 20), "large-v3": (32, 20), "tiny.en": (4, 6)}[known]
    dims = whisper.model.ModelDimensions(80, 1500, 64, heads, 1, 51865, 448, 64, heads, layers)
    reference.dims = dims
    whisper.model.Whisper.set_alignment_heads(reference, whisper._ALIGNMENT_HEADS[known])  # type: ignore[arg-type]
    wanted = [tuple(pair) for pair in reference.alignment_heads.indices().T.tolist()]  # type: ignore[operator]
    assert list(load.alignment_heads(name, dims)) == wanted


@pytest.mark.parametrize(
    ("n_vocab", "encoder_layers", "decoder_layers", "abilities"),
    [
        (51864, 4, 4, Abilities(languages=1, translates=False)),  # tiny.en
        (51865, 6, 6, Abilities(languages=99, translates=True)),  # base
        (51866, 32, 32, Abilities(languages=100, translates=True)),  # large-v3
        (51866, 32, 4, Abilities(languages=100, translates=False)),  # turbo
    ],
)
def test_what_a_model_can_follows_from_its_dimensions(
    smallest: load.Model, n_vocab: int, encoder_layers: int, decoder_layers: int, abilities: Abilities
) -> None:
    dims = replace(smallest.dims, n_vocab=n_vocab, n_audio_layer=encoder_layers, n_text_layer=decoder_layers)
    assert replace(smallest, dims=dims).abilities == abilities


def test_a_model_of_no_known_name_aligns_by_the_upper_half_of_its_layers(smallest: load.Model) -> None:
    assert smallest.alignment_heads == ((1, 0), (1, 1))


def test_a_file_that_is_no_checkpoint_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no checkpoint")
    with pytest.raises(CannotLoad, match=r"model\.pt is no checkpoint"):
        load.load(tmp_path / "model.pt", "cpu", "auto")


def test_a_checkpoint_that_lacks_weights_fails_by_their_name(tmp_path: Path, checkpoint: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    del content["model_state_dict"]["decoder.ln.weight"]
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(CannotLoad):
        load.load(tmp_path / "model.pt", "cpu", "auto")


def test_a_pickle_that_runs_code_is_not_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    (tmp_path / "model.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CannotLoad):
        load.load(tmp_path / "model.pt", "cpu", "auto")
    assert not (tmp_path / "ran").exists()


def test_what_a_cpu_cannot_do_is_refused_with_what_it_can(checkpoint: Path) -> None:
    with pytest.raises(CannotLoad, match="float16, which no CPU computes fast: set bfloat16 or auto"):
        load.load(checkpoint, "cpu", "float16")


def test_a_cpu_that_does_not_multiply_bfloat16_says_so(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "multiplies_bfloat16", lambda: False)
    with pytest.raises(CannotLoad, match="bfloat16, which this CPU cannot multiply: set auto, or other nodes"):
        load.load(checkpoint, "cpu", "bfloat16")


def test_rows_are_as_many_as_are_wanted_and_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    large = whisper.model.ModelDimensions(128, 1500, 1280, 20, 32, 51866, 448, 1280, 20, 32)
    cpu, row = torch.device("cpu"), memory.row_bytes(large, torch.float32)
    assert row == 2 * 32 * 1948 * 1280 * 4
    for gigabytes, rows in ((1, 1), (8, 3), (1000, 8)):
        monkeypatch.setattr(memory, "_free", lambda device, free=gigabytes * 1024**3: free)
        assert memory.rows(large, cpu, torch.float32) == rows
    assert [memory.rows(large, cpu, torch.float32, wanted) for wanted in (1, 20)] == [1, 20]
