"""A memory-mapped checkpoint: no page is read before it is used, and none stays once its layer is packed."""

from __future__ import annotations

import ctypes
import mmap
from typing import Final

import torch
from torch import nn
from whisper.model import ModelDimensions, Whisper

from whisper_runtime.engine.model.checkpoint import CheckpointContent, check_tensors
from whisper_runtime.engine.model.linear import PackedLinear, Packer, Packing
from whisper_runtime.engine.model.meta_model import MetaWhisper, shapes_of

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def load_mapped(checkpoint: CheckpointContent) -> Whisper:
    """openai-whisper's module, whose weights are the file's pages. Raises NotLoadable, and TypeError for odd dims."""
    module = MetaWhisper(ModelDimensions(**checkpoint.dims))
    check_tensors(checkpoint, shapes_of(module))
    module.load_state_dict(checkpoint.tensors, assign=True)
    return module


def releasing_pages(packing: Packing) -> Packing:
    """`packing` for layers of `load_mapped`: each layer's pages leave this process's memory once it is packed.

    File-backed pages are re-read on access. Never use this on anonymous memory: MADV_DONTNEED zeroes it.
    """

    def widened(layer: nn.Linear) -> torch.Tensor:
        weight = packing.widen(layer)
        _release(layer.weight)
        return weight

    return Packing(_releasing(packing.many_rows), _releasing(packing.few_rows), widened)


def _releasing(pack: Packer) -> Packer:
    def packed(*layers: nn.Linear | nn.Embedding) -> PackedLinear:
        linear = pack(*layers)
        for layer in layers:
            _release(layer.weight)
        return linear

    return packed


def _release(weight: torch.Tensor) -> None:
    """Raises OSError where the kernel refuses, which it has no reason to."""
    start = -(-weight.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (weight.data_ptr() + weight.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if start < end and _libc.madvise(start, end - start, mmap.MADV_DONTNEED) != 0:
        raise OSError(ctypes.get_errno(), "madvise refused a checkpoint's pages")
