"""Which files of an artifact or image are the model: by their names, in a registry and in a mounted image alike."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.engine.model.hub_files import CONFIG, INDEX, SMALL, WEIGHTS
from whisper_runtime.fetch.errors import FetchError

CHECKPOINTS: Final = (".pt", ".tar")
"""Endings of one file that is a model: openai-whisper's own format, or the archive of Hugging Face's files."""
MODELS: Final = "models"
"""The folder of an image in which a model is looked for, beside its root; KServe's modelcars have it there."""
MOST_FILES: Final = 1 << 12
"""Names that are looked at, of one layer or of one image."""
MOST_SHOWN: Final = 10


def may_be_models(path: str, is_image: bool) -> bool:
    """Whether the file may be one of the model's, by its name, and in an image by its place as well."""
    name = path.rpartition("/")[2]
    is_named = name.endswith((*CHECKPOINTS, ".safetensors")) or name in (*SMALL, INDEX)
    return is_named and may_hold_models(path, is_image)


def may_hold_models(path: str, is_image: bool) -> bool:
    """Whether a model may be at the path or below: in an image at its root and in one folder."""
    return not is_image or "/" not in path or path.startswith(f"{MODELS}/")


def model_place(name: str, paths: Collection[str]) -> str:
    """The path of the one checkpoint, or else of the one folder that has weights of Hugging Face's, or all but these.

    `name`: the source, as messages show it; `paths`: of the files that may be a model's. Raises FetchError where there
    is no model, or are several.
    """
    checkpoints = [path for path in paths if path.endswith(CHECKPOINTS)]
    folders = _folders(paths, WEIGHTS, INDEX)
    if len(checkpoints) + len(folders) > 1:
        there = ", ".join([*checkpoints, *(f"{folder or '.'}/" for folder in folders)][:MOST_SHOWN])
        raise FetchError(NOT_A_CHECKPOINT, f"{name} has more than one checkpoint ({there}): keep one of them")
    if len(found := [*checkpoints, *folders] or _folders(paths, CONFIG)) == 1:
        return found[0]
    there = ", ".join([*paths][:MOST_SHOWN]) or "none of these"
    remedy = f"push one file .pt, or {CONFIG} and {WEIGHTS} in one folder, which of an image is / or below /models"
    raise FetchError(NOT_A_CHECKPOINT, f"{name} is not a checkpoint of a Whisper: it has {there}: {remedy}")


def _folders(paths: Collection[str], *names: str) -> list[str]:
    parts = (path.rpartition("/") for path in paths)
    return sorted({folder for folder, _, name in parts if name in names})


def mounted_model(directory: Path) -> Path:
    """The checkpoint, or the folder of Hugging Face's files, of an image that is mounted at `directory`.

    Raises FetchError, and OSError.
    """
    root = directory.resolve(strict=True)
    found = root / model_place(f"the image at {directory}", [*islice(_files(root), MOST_FILES)])
    if not found.resolve().is_relative_to(root):
        raise FetchError(NOT_A_CHECKPOINT, f"{found} is a link out of its image: put the file itself in its place")
    return found


def _files(root: Path) -> Iterator[str]:
    """Paths of the files that may be a model's."""
    yield from sorted(one.name for one in os.scandir(root) if one.is_file() and may_be_models(one.name, True))
    for folder, below, names in os.walk(root / MODELS):
        below.sort()
        paths = (os.path.relpath(os.path.join(folder, name), root) for name in sorted(names))
        yield from (path for path in paths if may_be_models(path, True))
