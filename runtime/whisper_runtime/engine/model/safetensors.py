"""A file of safetensors, mapped: a header in JSON that says where each tensor lies (huggingface/safetensors, README).

Its own reader takes a file by its path alone; here a file lies within an archive, and what is wrong is said by name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, cast

import torch

from whisper_runtime.engine.model.file_folder import MappedFile, NotLoadable

LENGTH_BYTES: Final = 8
MOST_HEADER: Final = 1 << 24
"""Bytes; that of the largest Whisper has some hundred thousand."""
DTYPES: Final = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_tensors(file: MappedFile) -> Iterator[tuple[str, torch.Tensor]]:
    """Each tensor with its key, its numbers in the file's pages. Raises NotLoadable."""
    header, start = _header(file)
    for key, entry in header.items():
        if key != "__metadata__":
            yield key, _tensor(file, key, entry, start)


def _header(file: MappedFile) -> tuple[dict[str, Any], int]:
    """The header, and the offset of the tensors' bytes within the file."""
    length = int.from_bytes(file.pages[file.offset : file.offset + LENGTH_BYTES], "little")
    rest = file.size - LENGTH_BYTES
    if rest < 0 or length > rest:
        raise NotLoadable(
            f"{file.name} says that its header has {length} bytes, and {max(rest, 0)} follow: it was cut, or is no "
            "file of safetensors; copy it again"
        )
    if length > MOST_HEADER:
        raise NotLoadable(f"{file.name} says that its header has {length} bytes: none has more than {MOST_HEADER}")
    at = file.offset + LENGTH_BYTES
    try:
        header = json.loads(file.pages[at : at + length])
    except (ValueError, RecursionError):
        raise NotLoadable(f"{file.name} has a header that is not JSON: it is no file of safetensors") from None
    if not isinstance(header, dict):
        raise NotLoadable(f"{file.name} has a header that is no JSON object: it is no file of safetensors")
    return cast(dict[str, Any], header), LENGTH_BYTES + length


def _tensor(file: MappedFile, key: str, entry: Any, start: int) -> torch.Tensor:
    where = f"{file.name}: {key}"
    try:
        dtype, shape = str(entry["dtype"]), [_whole(size) for size in entry["shape"]]
        begin, end = (_whole(offset) for offset in entry["data_offsets"])
    except (KeyError, TypeError, ValueError):
        raise NotLoadable(f"{where} lacks a dtype, a shape or data_offsets that can be read") from None
    if dtype not in DTYPES:
        raise NotLoadable(
            f"{where} has the dtype {dtype[:20]}, which is not loaded: save the model in F32, F16 or BF16"
        )
    count = math.prod(shape)
    if end - begin != count * DTYPES[dtype].itemsize:
        raise NotLoadable(f"{where} has {end - begin} bytes, which is not what {dtype} of shape {shape} takes")
    if start + end > file.size:
        raise NotLoadable(f"{where} ends at byte {start + end} of {file.size}: the file was cut; copy it again")
    if count == 0:
        return torch.empty(shape, dtype=DTYPES[dtype])
    return torch.frombuffer(file.pages, dtype=DTYPES[dtype], count=count, offset=file.offset + start + begin).reshape(
        shape
    )


def _whole(value: Any) -> int:
    """Raises ValueError for what is no number of bytes or elements."""
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise ValueError
    return value
