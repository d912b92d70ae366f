"""Where torch finds NVIDIA's libraries. That the image's stand-ins take their place is tests/e2e/test_speech.py's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from whisper_runtime.process import gpu_stand_ins
from whisper_runtime.process.gpu_stand_ins import gpu_is_out_of_reach, in_front


def test_a_machine_without_nvidias_driver_has_no_gpu_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_stand_ins, "DRIVER", "libc-of-nobody.so.1")
    assert gpu_is_out_of_reach()


def test_one_with_a_driver_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_stand_ins, "DRIVER", "libc.so.6")
    assert not gpu_is_out_of_reach()


def test_they_are_in_front_of_every_other_path_for_the_block_alone(tmp_path: Path) -> None:
    before = list(sys.path)
    with in_front(tmp_path):
        assert sys.path == [str(tmp_path), *before]
    assert sys.path == before
