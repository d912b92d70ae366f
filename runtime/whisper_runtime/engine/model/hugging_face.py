"""Hugging Face's layout of a Whisper: config.json, generation_config.json, and the weights in safetensors.

The keys are those of transformers' WhisperForConditionalGeneration, or of its WhisperModel, which lack the first part.
Its own conversion tells which is which (transformers, models/whisper/convert_openai_to_hf.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import torch

from whisper_runtime.engine.generation import GenerationRules
from whisper_runtime.engine.model.file_folder import MappedFile, NotLoadable
from whisper_runtime.engine.model.hub_files import (
    CONFIG,
    GENERATION,
    INDEX,
    PREPROCESSOR,
    TOKENIZERS,
    WEIGHTS,
    files_of_model,
    shards_of,
)
from whisper_runtime.engine.model.safetensors import read_tensors
from whisper_runtime.engine.model.vocabulary_check import check_vocabulary

MOST_JSON: Final = 1 << 24
"""Bytes; a tokenizer.json has some millions."""
MELS: Final = (80, 128)
VOCABULARIES: Final = (51864, 51865, 51866)
"""English alone, 99 languages, 100 languages."""
PREFIX: Final = "model."
TIED: Final = "proj_out.weight"
"""The last layer, which is the tokens' embedding, and as a rule left out."""
NAMES: Final = (
    (".layers.", ".blocks."),
    (".self_attn_layer_norm.", ".attn_ln."),
    (".encoder_attn_layer_norm.", ".cross_attn_ln."),
    (".final_layer_norm.", ".mlp_ln."),
    (".self_attn.", ".attn."),
    (".encoder_attn.", ".cross_attn."),
    (".q_proj.", ".query."),
    (".k_proj.", ".key."),
    (".v_proj.", ".value."),
    (".out_proj.", ".out."),
    (".fc1.", ".mlp.0."),
    (".fc2.", ".mlp.2."),
    ("encoder.layer_norm.", "encoder.ln_post."),
    ("decoder.layer_norm.", "decoder.ln."),
    (".embed_positions.weight", ".positional_embedding"),
    ("decoder.embed_tokens.", "decoder.token_embedding."),
)
"""Parts of transformers' keys, and of openai-whisper's."""
DIMENSIONS: Final = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_vocab": "vocab_size",
    "n_text_ctx": "max_target_positions",
    "n_text_state": "d_model",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}
"""Fields of openai-whisper's ModelDimensions, and where config.json has them."""


def read_dimensions(files: Mapping[str, MappedFile]) -> dict[str, Any]:
    """openai-whisper's dimensions, by config.json. Raises NotLoadable for what is no Whisper that is served."""
    config = _config(files)
    if (kind := config.get("model_type")) != "whisper":
        raise NotLoadable(f"{CONFIG}: model_type is {kind!r}, and only a whisper is served")
    if "quantization_config" in config:
        raise NotLoadable(f"{CONFIG}: quantization_config is set: save the model in F32, F16 or BF16, not quantized")
    if (activation := config.get("activation_function", "gelu")) != "gelu" or config.get("scale_embedding"):
        raise NotLoadable(
            f"{CONFIG}: activation_function {activation!r} and scale_embedding {config.get('scale_embedding')!r} are "
            "not those of Whisper: gelu and false"
        )
    _one_of(config, "num_mel_bins", MELS)
    _one_of(config, "vocab_size", VOCABULARIES)
    _check_features(files, config)
    check_vocabulary(_tokenizers(files), config["vocab_size"])
    for field in DIMENSIONS.values():
        if type(size := config.get(field)) is not int or size <= 0:
            raise NotLoadable(f"{CONFIG}: {field} is {size!r}, and must be a whole number above 0")
    return {ours: config[theirs] for ours, theirs in DIMENSIONS.items()}


def read_weights(files: Mapping[str, MappedFile]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors by openai-whisper's names, and the file and key of each. Raises NotLoadable."""
    files_of_model(files.keys(), lambda: files[INDEX].read(MOST_JSON))
    tensors: dict[str, torch.Tensor] = {}
    origins: dict[str, str] = {}
    index = _index(files)
    for name in dict.fromkeys(index.values()) if index is not None else [WEIGHTS]:
        for key, tensor in read_tensors(files[name]):
            if index is not None and index.get(key) != name:
                raise NotLoadable(f"{name} has {key}, which {INDEX} finds in {index.get(key, 'no file')}")
            ours = _ours(key)
            if ours in tensors:
                raise NotLoadable(f"{name}: {key} is there twice, as {origins[ours]} too")
            tensors[ours], origins[ours] = tensor, f"{name}: {key}"
    for key, name in (index or {}).items():
        if _ours(key) not in tensors:
            raise NotLoadable(f"{INDEX} says that {key} is in {name}, which does not have it: copy the shard again")
    _drop_tied(files, tensors, origins)
    return tensors, origins


def read_rules(files: Mapping[str, MappedFile]) -> GenerationRules:
    """What may be sampled, as transformers' generate() does it with these files; without them openai-whisper's rules.

    transformers before 4.26 wrote the same fields into config.json.
    """
    has_file = GENERATION in files
    source, name = (_json(files[GENERATION]), GENERATION) if has_file else (_config(files), CONFIG)
    if not has_file and "suppress_tokens" not in source:
        return GenerationRules()
    vocabulary = _config(files)["vocab_size"]
    most: Any = source.get("max_initial_timestamp_index")
    if most is not None and not (type(most) is int and 0 <= most <= 1500):
        raise NotLoadable(f"{name}: max_initial_timestamp_index is {most!r}, and not a number of steps from 0 to 1500")
    return GenerationRules(
        _tokens(source, "suppress_tokens", vocabulary, name),
        _tokens(source, "begin_suppress_tokens", vocabulary, name),
        most or None,
    )


def read_alignment_heads(
    files: Mapping[str, MappedFile], dims: Mapping[str, Any]
) -> tuple[tuple[int, int], ...] | None:
    """Pairs of layer and head. None: the files name none, or a teacher's with more layers, as distil-whisper's may.

    Raises NotLoadable for what is no list of pairs.
    """
    found: Any = _json(files[GENERATION]).get("alignment_heads") if GENERATION in files else None
    if found is None:
        return None
    pairs = [_pair(one) for one in cast(list[Any], found)] if isinstance(found, list) else [None]
    heads = [pair for pair in pairs if pair is not None]
    if len(heads) < len(pairs):
        raise NotLoadable(f"{GENERATION}: alignment_heads must be pairs of layer and head, as [[2, 2], [3, 0]]")
    is_its = all(layer < dims["n_text_layer"] and head < dims["n_text_head"] for layer, head in heads)
    return tuple(heads) if heads and is_its else None


def their_name(ours: str) -> str:
    """transformers' key for one of openai-whisper's."""
    for theirs, part in reversed(NAMES):
        ours = ours.replace(part, theirs)
    return PREFIX + ours


def _ours(key: str) -> str:
    key = key.removeprefix(PREFIX)
    for theirs, ours in NAMES:
        key = key.replace(theirs, ours)
    return key


def _index(files: Mapping[str, MappedFile]) -> dict[str, str] | None:
    """The file of each key; None: all are in one."""
    return None if WEIGHTS in files else shards_of(files[INDEX].read(MOST_JSON))


def _drop_tied(files: Mapping[str, MappedFile], tensors: dict[str, torch.Tensor], origins: dict[str, str]) -> None:
    """Raises NotLoadable where the last layer is another matrix than the tokens' embedding."""
    last, embedding = tensors.pop(TIED, None), tensors.get("decoder.token_embedding.weight")
    is_untied = _config(files).get("tie_word_embeddings") is False
    if last is not None and is_untied and (embedding is None or not torch.equal(last, embedding)):
        raise NotLoadable(
            f"{origins[TIED]} is another matrix than the tokens' embedding, and {CONFIG} has tie_word_embeddings "
            "false: only a Whisper whose last layer is its embedding is served"
        )
    origins.pop(TIED, None)


def _check_features(files: Mapping[str, MappedFile], config: Mapping[str, Any]) -> None:
    if PREPROCESSOR not in files:
        return
    features, mels = _json(files[PREPROCESSOR]).get("feature_size"), config["num_mel_bins"]
    if features not in (None, mels):
        raise NotLoadable(f"{PREPROCESSOR}: feature_size is {features!r}, and num_mel_bins of {CONFIG} is {mels}")


def _tokenizers(files: Mapping[str, MappedFile]) -> dict[str, Any]:
    return {name: _json(files[name]) for name in TOKENIZERS if name in files}


def _one_of(config: Mapping[str, Any], field: str, known: tuple[int, ...]) -> None:
    if config.get(field) not in known:
        choice = ", ".join(map(str, known))
        raise NotLoadable(f"{CONFIG}: {field} is {config.get(field)!r}, and a Whisper has one of {choice}")


def _tokens(source: Mapping[str, Any], field: str, vocabulary: int, name: str) -> tuple[int, ...]:
    """Raises NotLoadable for what is no list of token ids."""
    found: Any = source.get(field) or []
    if not isinstance(found, list) or not all(
        type(token) is int and 0 <= token < vocabulary for token in cast(list[Any], found)
    ):
        raise NotLoadable(f"{name}: {field} must be a list of token ids from 0 to {vocabulary - 1}")
    return tuple(sorted(set(cast(list[int], found))))


def _pair(value: Any) -> tuple[int, int] | None:
    match value:
        case [int(layer), int(head)] if layer >= 0 and head >= 0:
            return layer, head
        case _:
            return None


def _config(files: Mapping[str, MappedFile]) -> dict[str, Any]:
    if CONFIG not in files:
        raise NotLoadable(f"{CONFIG} is missing: it belongs beside the weights, with the model's dimensions")
    return _json(files[CONFIG])


def _json(file: MappedFile) -> dict[str, Any]:
    try:
        found = json.loads(file.read(MOST_JSON))
    except (ValueError, RecursionError) as error:
        raise NotLoadable(f"{file.name} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotLoadable(f"{file.name} is no JSON object")
    return cast(dict[str, Any], found)
