"""The kinds of checkpoints that are fetched: what each is, how it begins, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.diarization.interface import MOST_ENCODER_BYTES, ONNX_BEGINS
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.fetch import checkpoint
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.one_model import OF_ENCODER, OF_WHISPER, CheckpointFiles

MODEL_SOURCE: Final = "spec.model.source"
TORCH_BEFORE_ZIP: Final = b"\x80\x02"
"""A pickle, as torch wrote before it wrote archives; resemblyzer's own file is one."""


@dataclass(frozen=True)
class CheckpointKind:
    files: CheckpointFiles
    """What it consists of, where it is looked for among files."""
    source: str
    """The manifest's path of its source."""
    largest: int
    """Bytes that one has at the most."""
    begins: str
    """Whose files begin as one may, as the end of a sentence."""
    may_begin: Callable[[bytes], bool]
    validate: Callable[[Path, str], None]
    """Raises FetchError where the file, which came from the source of that name, is none; and OSError."""

    @property
    def what(self) -> str:
        """As messages call it."""
        return self.files.what

    def told(self, message: str) -> str:
        """A source's message, which calls its fields those of the model's, with the fields of this one's."""
        return message.replace(MODEL_SOURCE, self.source)


def _may_begin_encoder(start: bytes) -> bool:
    return start.startswith((checkpoint.ZIP, TORCH_BEFORE_ZIP, ONNX_BEGINS))


def _validate_encoder(path: Path, name: str) -> None:
    from whisper_runtime.diarization.load import load_diarizer  # torch takes seconds, as for checkpoint.validate

    try:
        load_diarizer(str(path))
    except CannotLoad as problem:
        why = str(problem).replace(str(path), name)
        raise FetchError(NOT_A_CHECKPOINT, f"{name} is not a speaker encoder: {why}") from None


WHISPER: Final = CheckpointKind(
    files=OF_WHISPER,
    source=MODEL_SOURCE,
    largest=checkpoint.LARGEST,
    begins="neither as torch.save nor as tar writes",
    may_begin=checkpoint.may_begin,
    validate=checkpoint.validate,
)
ENCODER: Final = CheckpointKind(
    files=OF_ENCODER,
    source="spec.diarization.model.source",
    largest=MOST_ENCODER_BYTES,
    begins="neither as torch.save nor as ONNX writes",
    may_begin=_may_begin_encoder,
    validate=_validate_encoder,
)
"""Encoders have 5 to 100 MB."""
