"""Tensors are read from a file's pages, and a header that belies its file is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.hub_models import safetensors, with_header
from whisper_runtime.engine.model.file_folder import NotLoadable, map_files
from whisper_runtime.engine.model.safetensors import MOST_HEADER, read_tensors

ONE = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3)}
ENTRY: dict[str, Any] = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def read(folder: Path, content: bytes) -> dict[str, torch.Tensor]:
    (folder / "model.safetensors").write_bytes(content)
    return dict(read_tensors(map_files(folder)["model.safetensors"]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_numbers_come_as_they_were_saved(tmp_path: Path, dtype: torch.dtype) -> None:
    wanted = {"a": torch.randn(3, 5).to(dtype), "b": torch.randn(()).to(dtype), "c": torch.empty(0, 4).to(dtype)}
    found = read(tmp_path, safetensors(wanted))
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) and found[key].dtype == dtype for key in wanted)


def test_what_the_library_itself_writes(tmp_path: Path) -> None:
    from safetensors.torch import save

    assert torch.equal(read(tmp_path, save(ONE, {"format": "pt"}))["a"], ONE["a"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x01\x02", "its header has 513 bytes, and 0 follow: it was cut"),
        ((1000).to_bytes(8, "little") + b"{}", "its header has 1000 bytes, and 2 follow: it was cut"),
        ((2**64 - 1).to_bytes(8, "little") + b"{}", "its header has 18446744073709551615 bytes"),
        ((MOST_HEADER + 1).to_bytes(8, "little") + bytes(MOST_HEADER + 1), f"none has more than {MOST_HEADER}"),
        (safetensors(ONE)[:60], "it was cut, or is no file of safetensors; copy it again"),
        (safetensors(ONE)[:-1], f"a ends at byte {len(safetensors(ONE))} of "),
        ((4).to_bytes(8, "little") + b"{[]]", "has a header that is not JSON"),
        ((2).to_bytes(8, "little") + b"[]", "has a header that is no JSON object"),
        ((9).to_bytes(8, "little") + b'{"a":"b"}', "a lacks a dtype, a shape or data_offsets that can be read"),
        (with_header({"a": {**ENTRY, "dtype": "I8"}}, bytes(24)), "a has the dtype I8, which is not loaded"),
        (with_header({"a": {**ENTRY, "dtype": "F8_E4M3"}}, bytes(24)), "a has the dtype F8_E4M3, which is not loaded"),
        (with_header({"a": {**ENTRY, "shape": [2, -3]}}, bytes(24)), "a lacks a dtype, a shape or data_offsets"),
        (with_header({"a": {**ENTRY, "shape": [2**60, 3]}}, bytes(24)), "a lacks a dtype, a shape or data_offsets"),
        (with_header({"a": {**ENTRY, "shape": [2**30, 2**30]}}, bytes(24)), "a has 24 bytes, which is not what F32"),
        (with_header({"a": {**ENTRY, "shape": [2, 4]}}, bytes(24)), "a has 24 bytes, which is not what F32 of shape"),
        (with_header({"a": {**ENTRY, "data_offsets": [24, 0]}}, bytes(24)), "a has -24 bytes, which is not what F32"),
        (with_header({"a": {**ENTRY, "data_offsets": [0]}}, bytes(24)), "a lacks a dtype, a shape or data_offsets"),
    ],
)
def test_a_header_that_belies_its_file(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(NotLoadable) as raised:
        read(tmp_path, content)
    assert str(raised.value).startswith("model.safetensors")
    assert says in str(raised.value)
