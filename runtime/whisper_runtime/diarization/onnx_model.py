"""Speaker encoders as ONNX files, as wespeaker, 3D-Speaker and pyannote export them; run by onnxruntime.

What a file takes is read from its own inputs and metadata, and tried once, so that one which does not fit ends the
start. It computes in the calling thread alone, as each of the threads that look for speakers does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import onnxruntime

from whisper_runtime.diarization import fbank
from whisper_runtime.diarization.embedding import WINDOW_SAMPLES, VoiceScale
from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.engine.interface import CannotLoad, Samples

METADATA_PROPS: Final = 14
"""Number of the field in ModelProto (onnx.proto)."""
MOST_WIDTH: Final = 4096
"""Numbers of an embedding."""
FULL_SCALE: Final = 32768.0
"""Of samples as 16-bit numbers, which wespeaker's networks were trained with."""
FRAMES: Final = fbank.frames_of(WINDOW_SAMPLES)
TAKEN: Final = f"samples (batch, {WINDOW_SAMPLES}), or (batch, 1, {WINDOW_SAMPLES}), or fbank (batch, {FRAMES}, 80)"
NOWHERE: Final = "/nonexistent"
"""The folder of the files that a file may name to have weights in: there are none, for one file has one digest."""
REMEDY: Final = "export the model with a free batch and time, as wespeaker's export_onnx.py does, or take another one"

SCALE: Final = VoiceScale(of_long=0.65, of_short=0.45, of_a_reference=0.4, same=0.55)
"""Of networks that are trained to tell speakers apart by an angle, as wespeaker's: one speaker's windows are alike some
0.6, and two speakers' some 0.1 (ADR 103). Not measured, as no such weights could be had: a file may say its own."""
SCALE_KEY: Final = "whisper_operator_scale"
"""In a file's metadata: the four numbers of its VoiceScale, in their order, as `calibrate` writes them."""

runtime: Final = cast(Any, onnxruntime)
Inputs = Callable[[Samples], npt.NDArray[np.float32]]
"""What the network is given of pieces, shape (pieces, WINDOW_SAMPLES)."""
InputShape = Sequence[int | str | None]
"""Of an input in the file: a number where it is fixed."""


class UnfitModel(Exception):
    """The network takes or gives something else; the message says what."""


class Ends(NamedTuple):
    """What goes in and what comes out, by names of the file."""

    given: str
    inputs: Inputs
    found: str
    is_single: bool
    """Whether the file takes one piece at a time."""


class OnnxModel:
    """An EmbeddingModel."""

    def __init__(self, content: bytes) -> None:
        """`content` of the file. Raises UnfitModel."""
        self._session = _session(content)
        self._ends = _ends(self._session)
        self.scale = _scale(self._session.get_modelmeta().custom_metadata_map)
        self._try()

    def embeddings(self, pieces: Samples) -> npt.NDArray[np.float32]:
        inputs = self._ends.inputs(pieces)
        some = np.split(inputs, len(inputs)) if self._ends.is_single else [inputs]
        found = np.concatenate([self._run(one) for one in some]).astype(np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    def _run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self._session.run([self._ends.found], {self._ends.given: inputs})[0]

    def _try(self) -> None:
        """Raises UnfitModel where two pieces of noise do not come to two embeddings."""
        noise = np.random.default_rng(0).normal(0, 0.05, (2, WINDOW_SAMPLES)).astype(np.float32)
        try:
            found = self.embeddings(noise)
        except Exception as error:  # onnxruntime has no class of its own for what a network of a file does
            raise UnfitModel(f"fails with two pieces of 1.6 s: {' '.join(str(error).split())[:300]}") from error
        if found.ndim != 2 or len(found) != 2 or found.shape[1] > MOST_WIDTH or not np.isfinite(found).all():
            raise UnfitModel(f"gives {found.shape} for two pieces of 1.6 s, and (2, width) of finite numbers is needed")


def load_onnx(path: str, content: bytes) -> OnnxModel:
    """The network in a file's `content`; raises CannotLoad, which names `path`."""
    try:
        return OnnxModel(content)
    except UnfitModel as error:
        raise CannotLoad(f"the speakers' model {path} {error}: {REMEDY}") from error


def _session(content: bytes) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", NOWHERE)
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # nor for what is no ONNX file
        raise UnfitModel(f"cannot be read by onnxruntime ({' '.join(str(error).split())[:300]})") from error


def _ends(session: Any) -> Ends:
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    _check_metadata(metadata)
    given = session.get_inputs()
    found = [one.name for one in session.get_outputs() if len(one.shape) == 2]
    if len(given) != 1 or given[0].type != "tensor(float)":
        raise UnfitModel(f"takes {_described(given)}, and one input of float32 is needed: {TAKEN}")
    scale = FULL_SCALE if metadata.get("normalize_samples", "0") == "0" else 1.0
    inputs = _inputs(given[0].shape, scale)
    if inputs is None:
        raise UnfitModel(f"takes {_described(given)}, and one of these is needed: {TAKEN}")
    if not found:
        raise UnfitModel(f"gives {_described(session.get_outputs())}, and an output (batch, width) is needed")
    return Ends(given[0].name, inputs, found[0], is_single=given[0].shape[0] == 1)


def _scale(metadata: dict[str, str]) -> VoiceScale:
    """The file's own; raises UnfitModel for what is none."""
    if (said := metadata.get(SCALE_KEY)) is None:
        return SCALE
    try:
        of_long, of_short, of_a_reference, same = map(float, said.split())
    except ValueError:
        of_long = of_short = of_a_reference = same = math.nan
    if not all(0 < one < 1 for one in (of_long, of_short, of_a_reference, same)):
        raise UnfitModel(f"says {SCALE_KEY}={said[:80]!r} in its metadata, and four numbers between 0 and 1 are needed")
    return VoiceScale(of_long, of_short, of_a_reference, same)


def with_scale(content: bytes, scale: VoiceScale) -> bytes:
    """The file's `content` with the thresholds in its metadata, in place of those that it had.

    Messages of protobuf that follow each other are one with the fields of both, of which the later one counts.
    """
    said = f"{scale.of_long:.4f} {scale.of_short:.4f} {scale.of_a_reference:.4f} {scale.same:.4f}"
    entry = _field(1, SCALE_KEY.encode()) + _field(2, said.encode())
    return content + _field(METADATA_PROPS, entry)


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes that are shorter than 128, in protobuf's encoding."""
    return bytes([number << 3 | 2, len(content)]) + content


def _check_metadata(metadata: dict[str, str]) -> None:
    """Raises UnfitModel for what sherpa-onnx's exports say of their inputs, and is not how they are made here."""
    for name, taken in {"sample_rate": (str(SAMPLE_RATE),), "feature_normalize_type": ("", "global-mean")}.items():
        if (said := metadata.get(name, taken[0])) not in taken:
            raise UnfitModel(f"says {name}={said} in its metadata, and {taken[-1]} is needed")


def _inputs(shape: InputShape, scale: float) -> Inputs | None:
    """How an input of that shape is made; None: it cannot be."""
    match list(shape):
        case [batch, samples] if _fits(batch, 1) and _fits(samples, WINDOW_SAMPLES):
            return lambda pieces: pieces
        case [batch, frames, fbank.BANDS] if _fits(batch, 1) and _fits(frames, FRAMES):
            return lambda pieces: np.stack([fbank.log_mel_bands(piece, scale) for piece in pieces])
        case [batch, 1 | str() | None, samples] if _fits(batch, 1) and _fits(samples, WINDOW_SAMPLES):
            return lambda pieces: pieces[:, None]
        case _:
            return None


def _fits(found: int | str | None, wanted: int) -> bool:
    return not isinstance(found, int) or found == wanted


def _described(ends: Sequence[Any]) -> str:
    return ", ".join(f"{one.name} {one.type} {tuple(one.shape)}" for one in ends) or "nothing"
