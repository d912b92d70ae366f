"""Loads a checkpoint in seconds: memory-mapped, and packed layer by layer into the form that is multiplied fastest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from whisper.model import ModelDimensions

from whisper_runtime.contract.config_types import ComputeType, Device
from whisper_runtime.engine.generation import OPENAI_RULES, GenerationRules
from whisper_runtime.engine.interface import Abilities, CannotLoad
from whisper_runtime.engine.model.alignment_heads import alignment_heads
from whisper_runtime.engine.model.checkpoint import first_line, read_checkpoint
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.device import choose_attention, resolve_device
from whisper_runtime.engine.model.encoder import Encoder
from whisper_runtime.engine.model.linear import packing
from whisper_runtime.engine.model.mmap_checkpoint import load_mapped, releasing_pages
from whisper_runtime.engine.model.precision import Precision, activation_dtype, cpu_has_bfloat16, resolve_precision


@dataclass(frozen=True)
class WhisperModel:
    """A loaded model, on its device."""

    dims: ModelDimensions
    encoder: Encoder
    decoder: Decoder
    alignment_heads: tuple[tuple[int, int], ...]
    """Pairs of layer and head whose attention follows the speech."""
    device: torch.device
    precision: Precision
    rules: GenerationRules = OPENAI_RULES

    @property
    def is_multilingual(self) -> bool:
        return self.dims.n_vocab >= 51865

    @property
    def num_languages(self) -> int:
        return self.dims.n_vocab - 51765 - int(self.is_multilingual)

    @property
    def abilities(self) -> Abilities:
        """A decoder with fewer layers than the encoder, as turbo's, was fine-tuned on transcription alone."""
        whole = self.dims.n_text_layer >= self.dims.n_audio_layer
        return Abilities(self.num_languages if self.is_multilingual else 1, self.is_multilingual and whole)


def load(path: Path, device: Device, compute_type: ComputeType, name: str | None = None) -> WhisperModel:
    """The model in the checkpoint `path`, a file or a folder of Hugging Face's, ready to decode. Raises CannotLoad.

    `name`: which of openai-whisper's models it is, whose alignment heads are known; None: guessed from the file's name.
    Hugging Face's files name the heads themselves.
    """
    device_type = resolve_device(device)
    choose_attention(torch.device(device_type))
    precision = resolve_precision(compute_type, device_type, cpu_has_bfloat16=cpu_has_bfloat16())
    try:
        checkpoint = read_checkpoint(path)
        module = load_mapped(checkpoint)
    except Exception as error:  # torch raises many kinds for a file that is no checkpoint
        raise CannotLoad(f"{path} is no checkpoint of a Whisper: {first_line(error)}") from error
    on = torch.device(device_type)
    packed = releasing_pages(packing(on, precision))
    dtype = activation_dtype(on, precision)
    with torch.inference_mode():
        return WhisperModel(
            module.dims,
            Encoder(module.encoder, packed.many_rows, on, dtype),
            Decoder(module.decoder, packed, on, dtype),
            checkpoint.alignment_heads
            or alignment_heads((name or path.stem) if checkpoint.is_named else "", module.dims),
            on,
            precision,
            checkpoint.rules,
        )
