"""Whispers of the smallest size in Hugging Face's layout, as transformers' own save_pretrained writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from transformers import (
    GenerationConfig,
    GenerationMixin,
    LogitsProcessorList,
    WhisperConfig,
    WhisperForConditionalGeneration,
    WhisperTimeStampLogitsProcessor,
)
from whisper.tokenizer import LANGUAGES, get_tokenizer

MULTILINGUAL: Final = get_tokenizer(True, num_languages=99)
SUPPRESSED: Final = (*range(1, 40), MULTILINGUAL.sot, MULTILINGUAL.no_speech)
ALIGNMENT_HEADS: Final = [[0, 1], [1, 0]]


def fine_tune(**config: Any) -> WhisperForConditionalGeneration:
    """Two layers of random weights with other settings than openai-whisper's; so spread that no two logits are near."""
    sizes = {"encoder_layers": 2, "decoder_layers": 2, "d_model": 64, "vocab_size": 51865, "num_mel_bins": 80}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 256, "decoder_ffn_dim": 256}
    tokens = {"eos_token_id": MULTILINGUAL.eot, "pad_token_id": MULTILINGUAL.eot, "bos_token_id": MULTILINGUAL.eot}
    wanted = {**sizes, **heads, **tokens, "decoder_start_token_id": MULTILINGUAL.sot, "init_std": 0.3, **config}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(5)
        model = WhisperForConditionalGeneration(WhisperConfig(**wanted)).eval()
        model.model.decoder.embed_positions.weight.normal_(std=2.0)
    settings: dict[str, Any] = {
        "suppress_tokens": list(SUPPRESSED),
        "begin_suppress_tokens": [220, MULTILINGUAL.eot],
        "max_initial_timestamp_index": 30,
        "alignment_heads": ALIGNMENT_HEADS,
        "no_timestamps_token_id": MULTILINGUAL.no_timestamps,
        "is_multilingual": True,
        "lang_to_id": {f"<|{code}|>": MULTILINGUAL.sot + 1 + at for at, code in enumerate([*LANGUAGES][:99])},
        "task_to_id": {"transcribe": MULTILINGUAL.transcribe, "translate": MULTILINGUAL.translate},
        "return_timestamps": False,
    }
    model.generation_config = GenerationConfig(decoder_start_token_id=MULTILINGUAL.sot, **tokens, **settings)
    return model


def saved(model: WhisperForConditionalGeneration, folder: Path, **how: Any) -> Path:
    model.save_pretrained(folder, **how)
    return folder


def greedy_tokens(folder: Path, mel: torch.Tensor, count: int, *, timestamps: bool) -> list[int]:
    """transformers' own greedy output for a window, (n_mels, 3000): at most `count` tokens after the prompt.

    Its generate() for Whisper would go on with the rest of the window after the last timestamp.
    """
    model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    prompt = [MULTILINGUAL.sot, MULTILINGUAL.to_language_token("de"), MULTILINGUAL.transcribe]
    prompt += [] if timestamps else [MULTILINGUAL.no_timestamps]
    rules = WhisperTimeStampLogitsProcessor(model.generation_config, begin_index=len(prompt))
    found = GenerationMixin.generate(
        model,
        mel[None],
        decoder_input_ids=torch.tensor([prompt]),
        decoder_attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        logits_processor=LogitsProcessorList([rules] if timestamps else []),
        do_sample=False,
        max_new_tokens=count,
    )
    return found[0, len(prompt) :].tolist()
