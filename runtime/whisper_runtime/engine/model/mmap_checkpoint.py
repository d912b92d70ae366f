"""A checkpoint as the pages of its file: none is read before it is used, none stays once it is laid out."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from whisper.model import ModelDimensions, Whisper

from whisper_runtime.engine.model.linear import Pack, Packs, Product
from whisper_runtime.engine.model.meta_model import Blank

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def mapped(path: Path) -> Whisper:
    """openai-whisper's module, whose weights are the file's pages."""
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    module = Blank(ModelDimensions(**checkpoint["dims"]))
    module.load_state_dict(checkpoint["model_state_dict"], assign=True)
    return module


def letting_go(packs: Packs) -> Packs:
    """Packs for layers of a module that is `mapped`: each layer's pages leave this process's memory once it is packed.

    Who looks at them again reads the file again; memory that is no file's would read as zeros.
    """
    return Packs(_letting_go(packs.many), _letting_go(packs.few))


def _letting_go(pack: Pack) -> Pack:
    def packed(*layers: nn.Linear | nn.Embedding) -> Product:
        product = pack(*layers)
        for layer in layers:
            _let_go(layer.weight)
        return product

    return packed


def _let_go(weight: torch.Tensor) -> None:
    """Raises OSError where the kernel refuses, which it has no reason to."""
    start = -(-weight.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (weight.data_ptr() + weight.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if start < end and _libc.madvise(start, end - start, mmap.MADV_DONTNEED) != 0:
        raise OSError(ctypes.get_errno(), "madvise refused a checkpoint's pages")
