"""A checkpoint is loaded, or refused with a sentence that says why."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from whisper_runtime.engine.interface import Abilities, CannotLoad
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel


@pytest.mark.parametrize(
    ("n_vocab", "encoder_layers", "decoder_layers", "abilities"),
    [
        (51864, 4, 4, Abilities(languages=1, translates=False)),  # tiny.en
        (51865, 6, 6, Abilities(languages=99, translates=True)),  # base
        (51866, 32, 32, Abilities(languages=100, translates=True)),  # large-v3
        (51866, 32, 4, Abilities(languages=100, translates=False)),  # turbo
    ],
)
def test_abilities_follow_from_its_dimensions(
    smallest: WhisperModel, n_vocab: int, encoder_layers: int, decoder_layers: int, abilities: Abilities
) -> None:
    dims = replace(smallest.dims, n_vocab=n_vocab, n_audio_layer=encoder_layers, n_text_layer=decoder_layers)
    assert replace(smallest, dims=dims).abilities == abilities


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


def test_a_precision_that_a_cpu_does_not_compute_is_refused(checkpoint: Path) -> None:
    with pytest.raises(CannotLoad, match="float16, which no CPU computes fast: set bfloat16 or auto"):
        load.load(checkpoint, "cpu", "float16")
