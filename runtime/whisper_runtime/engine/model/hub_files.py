"""The files of a folder or repository that make up a Whisper, by their names in Hugging Face's layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, cast

from whisper_runtime.engine.model.file_folder import NotLoadable

CONFIG: Final = "config.json"
GENERATION: Final = "generation_config.json"
PREPROCESSOR: Final = "preprocessor_config.json"
WEIGHTS: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
TOKENIZERS: Final = ("added_tokens.json", "tokenizer.json", "vocab.json")
SMALL: Final = (CONFIG, GENERATION, PREPROCESSOR, *TOKENIZERS)
"""Those beside the weights; a model has config.json, and whichever of the others there are."""
NO_WEIGHTS: Final = (
    f"neither {WEIGHTS} nor {INDEX} is there: save the model by transformers' save_pretrained, which writes safetensors"
)
PLAIN_NAME: Final = "[A-Za-z0-9_][-A-Za-z0-9_.]{0,98}"


def files_of_model(names: Collection[str], read_index: Callable[[], bytes]) -> list[str]:
    """The files of a folder that a model consists of, sorted. Raises NotLoadable where one is missing.

    `read_index` gives the content of INDEX, and is called where it is needed.
    """
    if CONFIG not in names:
        raise NotLoadable(f"{CONFIG} is missing: it belongs beside the weights, with the model's dimensions")
    small = [name for name in SMALL if name in names]
    if WEIGHTS in names:
        return sorted([*small, WEIGHTS])
    if INDEX not in names:
        raise NotLoadable(NO_WEIGHTS)
    shards = set(shards_of(read_index()).values())
    if missing := sorted(shards - set(names)):
        raise NotLoadable(f"{INDEX} names {missing[0]}, which is missing: copy all shards of the model")
    return sorted([*small, INDEX, *shards])


def shards_of(index: bytes) -> dict[str, str]:
    """The file of each key, by the content of the index. Raises NotLoadable, also for what is no plain file name."""
    try:
        found: Any = json.loads(index)["weight_map"]
        shards = {str(key): str(name) for key, name in cast(Mapping[Any, Any], found).items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise NotLoadable(f"{INDEX} has no `weight_map` from key to file") from None
    if not shards:
        raise NotLoadable(f"{INDEX} names no file")
    for key, name in shards.items():
        if not re.fullmatch(PLAIN_NAME, name):
            raise NotLoadable(
                f"{INDEX} says that {key[:100]} is in {name[:100]!r}, which is no name of a file beside it"
            )
    return shards
