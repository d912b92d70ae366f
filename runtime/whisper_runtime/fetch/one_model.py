"""Which files of an artifact, image or repository are the checkpoint: by their names, wherever they lie."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.engine.model.hub_files import CONFIG, INDEX, SMALL, WEIGHTS
from whisper_runtime.fetch.errors import FetchError

MODELS: Final = "models"
"""The folder of an image in which a model is looked for, beside its root; KServe's modelcars have it there."""
MOST_FILES: Final = 1 << 12
"""Names that are looked at, of one layer or of one image."""
MOST_SHOWN: Final = 10


@dataclass(frozen=True)
class CheckpointFiles:
    """What a checkpoint consists of, where it is looked for among files."""

    what: str
    """As messages call it."""
    endings: tuple[tuple[str, ...], ...]
    """Of a file that is one; the later ones are looked for where there are none of the earlier."""
    has_folders: bool
    """Whether it may be a folder of Hugging Face's files as well."""
    remedy: str
    otherwise: str = ""
    """What may be done instead, as the end of a sentence."""

    @property
    def every_ending(self) -> tuple[str, ...]:
        return tuple(ending for some in self.endings for ending in some)

    def ones(self, paths: Collection[str]) -> list[str]:
        """The files of the first endings that any has."""
        found = ([path for path in paths if path.endswith(some)] for some in self.endings)
        return next((some for some in found if some), list[str]())


OF_WHISPER: Final = CheckpointFiles(
    what="checkpoint of a Whisper",
    endings=((".pt", ".tar"),),
    has_folders=True,
    remedy=f"push one file .pt, or {CONFIG} and {WEIGHTS} in one folder, which of an image is / or below /models",
)
"""openai-whisper's own format, or Hugging Face's files, or their archive."""
OF_ENCODER: Final = CheckpointFiles(
    what="speaker encoder",
    endings=((".onnx",), (".pt",)),
    has_folders=False,
    remedy="push one file .onnx or .pt, which of an image is in / or below /models",
    otherwise=", or write the https:// URL of the file itself",
)
"""An ONNX file, beside which the training's own .pt often lies; or a torch file of resemblyzer's layout."""


def may_be_models(path: str, is_image: bool, files: CheckpointFiles) -> bool:
    """Whether the file may be one of the checkpoint's, by its name, and in an image by its place as well."""
    name = path.rpartition("/")[2]
    in_folders = files.has_folders and (name.endswith(".safetensors") or name in (*SMALL, INDEX))
    return (in_folders or name.endswith(files.every_ending)) and may_hold_models(path, is_image)


def may_hold_models(path: str, is_image: bool) -> bool:
    """Whether a model may be at the path or below: in an image at its root and in one folder."""
    return not is_image or "/" not in path or path.startswith(f"{MODELS}/")


def model_place(name: str, paths: Collection[str], files: CheckpointFiles) -> str:
    """The path of the one checkpoint, or else of the one folder that has weights of Hugging Face's, or all but these.

    `name`: the source, as messages show it; `paths`: of the files that may be a checkpoint's. Raises FetchError where
    there is none, or are several.
    """
    checkpoints = files.ones(paths)
    folders = _folders(paths, WEIGHTS, INDEX) if files.has_folders else []
    if len(checkpoints) + len(folders) > 1:
        there = ", ".join([*checkpoints, *(f"{folder or '.'}/" for folder in folders)][:MOST_SHOWN])
        raise FetchError(
            NOT_A_CHECKPOINT, f"{name} has more than one {files.what} ({there}): keep one of them{files.otherwise}"
        )
    if len(found := [*checkpoints, *folders] or (_folders(paths, CONFIG) if files.has_folders else [])) == 1:
        return found[0]
    there = ", ".join([*paths][:MOST_SHOWN]) or "none of these"
    raise FetchError(NOT_A_CHECKPOINT, f"{name} is not a {files.what}: it has {there}: {files.remedy}{files.otherwise}")


def _folders(paths: Collection[str], *names: str) -> list[str]:
    parts = (path.rpartition("/") for path in paths)
    return sorted({folder for folder, _, name in parts if name in names})


def mounted_model(directory: Path) -> Path:
    """The checkpoint, or the folder of Hugging Face's files, of an image that is mounted at `directory`.

    Raises FetchError, and OSError.
    """
    root = directory.resolve(strict=True)
    found = root / model_place(f"the image at {directory}", [*islice(_files(root), MOST_FILES)], OF_WHISPER)
    if not found.resolve().is_relative_to(root):
        raise FetchError(NOT_A_CHECKPOINT, f"{found} is a link out of its image: put the file itself in its place")
    return found


def _files(root: Path) -> Iterator[str]:
    """Paths of the files that may be a model's."""
    yield from sorted(
        one.name for one in os.scandir(root) if one.is_file() and may_be_models(one.name, True, OF_WHISPER)
    )
    for folder, below, names in os.walk(root / MODELS):
        below.sort()
        paths = (os.path.relpath(os.path.join(folder, name), root) for name in sorted(names))
        yield from (path for path in paths if may_be_models(path, True, OF_WHISPER))
