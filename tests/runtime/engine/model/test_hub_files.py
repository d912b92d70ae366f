"""Which files of a repository or folder make up a model, and what an index of shards may say."""

from __future__ import annotations

import json

import pytest

from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.engine.model.hub_files import INDEX, files_of_model, shards_of

TWO = json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}})


def of(*names: str) -> list[str]:
    return files_of_model(names, TWO.encode)


def test_one_file_of_weights_is_taken_before_shards() -> None:
    assert of("config.json", "model.safetensors", INDEX, "model-1.safetensors") == ["config.json", "model.safetensors"]


def test_shards_are_those_that_the_index_names() -> None:
    found = of("config.json", INDEX, "model-1.safetensors", "model-2.safetensors", "model-3.safetensors")
    assert found == ["config.json", "model-1.safetensors", "model-2.safetensors", INDEX]


def test_what_belongs_beside_the_weights_is_taken_where_it_is_there_and_nothing_else() -> None:
    names = ("README.md", "config.json", "generation_config.json", "model.safetensors", "optimizer.pt", "vocab.json")
    assert of(*names) == ["config.json", "generation_config.json", "model.safetensors", "vocab.json"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("model.safetensors",), "config.json is missing"),
        (("config.json", "pytorch_model.bin"), "save the model by transformers' save_pretrained"),
        (("config.json", INDEX, "model-1.safetensors"), "names model-2.safetensors, which is missing"),
    ],
)
def test_a_file_that_is_missing_is_named(names: tuple[str, ...], says: str) -> None:
    with pytest.raises(NotLoadable, match=says):
        of(*names)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ("[]", "has no `weight_map`"),
        ("{", "has no `weight_map`"),
        ('{"weight_map": {}}', "names no file"),
        ('{"weight_map": {"a": "../../etc/shadow"}}', "which is no name of a file beside it"),
        ('{"weight_map": {"a": ".hidden"}}', "which is no name of a file beside it"),
    ],
)
def test_an_index_that_leads_nowhere_is_refused(index: str, says: str) -> None:
    with pytest.raises(NotLoadable, match=says):
        shards_of(index.encode())
