"""A Whisper module of the right shapes, without weights."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest
from whisper.model import ModelDimensions, Whisper

from whisper_runtime.engine.model.meta_model import MetaWhisper

SMALLEST = ModelDimensions(80, 1500, 16, 2, 1, 51864, 448, 16, 2, 1)


def test_it_has_the_parameters_of_upstreams_in_their_shapes() -> None:
    wanted, found = Whisper(SMALLEST).state_dict(), MetaWhisper(SMALLEST).state_dict()
    assert {key: (tensor.shape, tensor.dtype) for key, tensor in found.items()} == {
        key: (tensor.shape, tensor.dtype) for key, tensor in wanted.items()
    }


def test_its_parameters_take_no_memory() -> None:
    assert all(parameter.is_meta for parameter in MetaWhisper(SMALLEST).parameters())


@pytest.mark.slow
def test_it_is_made_without_torchs_compiler() -> None:
    """Whose import takes seconds and 170 MiB, and writes into the scratch directory."""
    program = (
        "import sys; from whisper.model import ModelDimensions; "
        "from whisper_runtime.engine.model.meta_model import MetaWhisper; "
        f"MetaWhisper(ModelDimensions(**{asdict(SMALLEST)})); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run((sys.executable, "-c", program), timeout=300).returncode == 0
