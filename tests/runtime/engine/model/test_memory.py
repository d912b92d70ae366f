"""The batch has as many rows as are wanted and memory has room for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from whisper.model import ModelDimensions

from whisper_runtime.engine.model.memory import batch_capacity, bytes_per_row, free_memory, give_back

LARGE = ModelDimensions(128, 1500, 1280, 20, 32, 51866, 448, 1280, 20, 32)
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_a_row_on_a_gpu_holds_keys_and_values_of_its_tokens_and_its_window() -> None:
    assert bytes_per_row(LARGE, CUDA, torch.float16) == 2 * 32 * 1948 * 1280 * 2


def test_a_row_on_a_cpu_holds_those_of_its_tokens_and_its_window_as_it_is_encoded() -> None:
    assert bytes_per_row(LARGE, CPU, torch.float32) == (2 * 32 * 448 + 1500) * 1280 * 4


@pytest.mark.parametrize(("gigabytes", "rows"), [(0.5, 1), (2, 3), (1000, 8)])
def test_rows_are_as_many_as_memory_has_room_for(gigabytes: float, rows: int) -> None:
    assert batch_capacity(LARGE, CPU, torch.float32, int(gigabytes * 1024**3)) == rows


@pytest.mark.parametrize(("gigabytes", "rows"), [(3, 7), (20, 50), (75, 64)])
def test_a_gpu_is_all_the_servers_own_and_its_memory_is_used(gigabytes: int, rows: int) -> None:
    """Given what large-v3 leaves free of 6, 24 and 80 GB."""
    assert batch_capacity(LARGE, CUDA, torch.float16, gigabytes * 1024**3) == rows


@pytest.mark.parametrize("wanted", [1, 20])
def test_rows_are_as_many_as_are_wanted(wanted: int) -> None:
    assert batch_capacity(LARGE, CPU, torch.float32, 1000 * 1024**3, wanted) == wanted


def test_a_cpu_has_no_more_free_memory_than_the_machine() -> None:
    with open("/proc/meminfo") as meminfo:
        total = int(meminfo.readline().removeprefix("MemTotal:").split()[0]) * 1024
    assert 0 < free_memory(CPU) < total


def test_what_was_freed_is_given_back() -> None:
    """Given 64 MiB in pieces, of which the last one is still used: the heap does not shrink by itself."""
    pieces = [bytes([number % 256]) * 4096 for number in range(16_384)]
    last = pieces.pop()
    held = _anonymous_mib()
    pieces.clear()
    give_back()
    assert held - _anonymous_mib() > 48
    assert len(last) == 4096


def _anonymous_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) / 1024
