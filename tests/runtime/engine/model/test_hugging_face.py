"""A fine-tune in Hugging Face's layout decodes as transformers decodes it; what is damaged is refused by name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import MAX_NEW_TOKENS, faulty_runner
from tests.runtime.engine.conftest import exhaust, hum
from tests.support.hub_models import GENERATION, SHARDS, one_file, safetensors, sharded, tensors
from tests.support.hugging_face import ALIGNMENT_HEADS, fine_tune, greedy_tokens, saved
from whisper_runtime.engine.batching.batch import BatchSlot
from whisper_runtime.engine.generation import GenerationRules
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.engine.model.hub_files import INDEX
from whisper_runtime.engine.model.load import WhisperModel, load
from whisper_runtime.engine.policy import mel
from whisper_runtime.engine.policy.queries import DecodedTokens, DecodeWindow, Window

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def sound() -> torch.Tensor:
    """A window, (80, 3000)."""
    return exhaust(mel.spectrogram(hum(20), 80, torch.device("cpu")))[0][:, :3000]


@torch.inference_mode()
def decoded(model: WhisperModel, sound: torch.Tensor, *, timestamps: bool) -> list[int]:
    """The engine's greedy tokens, at most MAX_NEW_TOKENS."""
    runner = faulty_runner(model, CountingObserver(), 1)
    tokenizer = runner.tokenizer
    params = tokenizer.params(tokenizer.for_language("de", "transcribe"), [], timestamps=timestamps)
    window = Window(sound, 20.0)
    slot = runner.allocate([window], runner.encode(sound[None]), [False])[0]
    assert isinstance(slot, BatchSlot)
    query = DecodeWindow(window, params)
    while not isinstance(result := runner.answer(slot, query), DecodedTokens):
        runner.decode_batch(slot.row, 1)
    return list(result.tokens)


@pytest.mark.parametrize(
    ("dtype", "how"),
    [(torch.float32, {}), (torch.float16, {}), (torch.bfloat16, {"max_shard_size": "4MB"})],
    ids=["float32", "float16", "bfloat16 in shards"],
)
def test_a_fine_tune_decodes_token_for_token_as_transformers_does(
    tmp_path: Path, sound: torch.Tensor, dtype: torch.dtype, how: dict[str, str]
) -> None:
    folder = saved(fine_tune().to(dtype), tmp_path / "tune", **how)
    assert len(list(folder.glob("*.safetensors"))) == (2 if how else 1)
    model = load(folder, "cpu", "float32")
    for timestamps in (False, True):
        wanted = greedy_tokens(folder, sound, MAX_NEW_TOKENS, timestamps=timestamps)
        assert len(set(wanted)) > 4
        assert decoded(model, sound, timestamps=timestamps) == wanted
    assert [*map(list, model.alignment_heads)] == ALIGNMENT_HEADS


def test_a_student_with_fewer_decoder_layers_than_its_teacher(tmp_path: Path, sound: torch.Tensor) -> None:
    folder = saved(fine_tune(encoder_layers=3, decoder_layers=1), tmp_path / "distil")
    model = load(folder, "cpu", "float32")
    assert decoded(model, sound, timestamps=False) == greedy_tokens(folder, sound, MAX_NEW_TOKENS, timestamps=False)
    assert (model.alignment_heads, model.abilities.translates) == (((0, 0), (0, 1)), False)


def folder_of(folder: Path, files: dict[str, bytes], **changed: Any) -> Path:
    """The files, some changed: by name with `__` for dots; None leaves one out."""
    folder.mkdir()
    for name, content in {**files, **{name.replace("__", "."): content for name, content in changed.items()}}.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


def refused(path: Path) -> str:
    with pytest.raises(CannotLoad) as raised:
        load(path, "cpu", "float32")
    return str(raised.value)


@pytest.mark.parametrize("files", [one_file(), sharded()], ids=["one file", "shards"])
def test_a_folder_and_its_archive_are_the_same_model(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = folder_of(tmp_path / "tune", files)
    subprocess.run(["tar", "-cf", tmp_path / "tune.pt", "-C", folder, "."], check=True)
    for path in (folder, tmp_path / "tune.pt"):
        model = load(path, "cpu", "float32")
        assert model.alignment_heads == ((0, 1),)
        assert model.rules == GenerationRules((1, 2, 7), (220, 50257), 50)


def test_rules_are_those_of_the_files_and_of_openai_where_they_say_nothing(tmp_path: Path) -> None:
    silent = load(folder_of(tmp_path / "silent", one_file(), generation_config__json=None), "cpu", "float32")
    assert silent.rules == GenerationRules()
    assert silent.alignment_heads == ((0, 0), (0, 1))
    legacy = one_file(suppress_tokens=[3], begin_suppress_tokens=[220])
    older = load(folder_of(tmp_path / "older", legacy, generation_config__json=None), "cpu", "float32")
    assert older.rules == GenerationRules((3,), (220,), None)
    nothing = load(folder_of(tmp_path / "nothing", one_file(), generation_config__json=b"{}"), "cpu", "float32")
    assert nothing.rules == GenerationRules((), (), None)


def test_heads_of_a_teacher_with_more_layers_say_nothing_of_its_student(tmp_path: Path) -> None:
    heads = json.dumps({**GENERATION, "alignment_heads": [[0, 0], [7, 1]]}).encode()
    student = load(folder_of(tmp_path / "large-v3", one_file(), generation_config__json=heads), "cpu", "float32")
    assert student.alignment_heads == ((0, 0), (0, 1))


def generation(**fields: Any) -> bytes:
    return json.dumps({**GENERATION, **fields}).encode()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "wav2vec2"}, "config.json: model_type is 'wav2vec2', and only a whisper is served"),
        ({"num_mel_bins": 128}, "model.encoder.conv1.weight must be numbers of shape (8, 128, 3), and has (8, 80, 3)"),
        ({"num_mel_bins": 64}, "config.json: num_mel_bins is 64, and a Whisper has one of 80, 128"),
        ({"vocab_size": 51870}, "config.json: vocab_size is 51870, and a Whisper has one of 51864, 51865, 51866"),
        ({"vocab_size": None}, "config.json: vocab_size is None"),
        ({"d_model": None}, "config.json: d_model is None, and must be a whole number above 0"),
        ({"encoder_layers": "2"}, "config.json: encoder_layers is '2', and must be a whole number above 0"),
        ({"activation_function": "relu"}, "activation_function 'relu'"),
        ({"quantization_config": {"bits": 8}}, "quantization_config is set: save the model in F32, F16 or BF16"),
        ({"decoder_layers": 2}, "it lacks model.decoder.layers.1."),
    ],
)
def test_a_configuration_of_no_whisper_is_refused(tmp_path: Path, config: dict[str, Any], says: str) -> None:
    assert says in refused(folder_of(tmp_path / "tune", one_file(**config)))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"config__json": None}, "config.json is missing: it belongs beside the weights"),
        ({"config__json": b"{"}, "config.json is not JSON"),
        ({"config__json": b"[]"}, "config.json is no JSON object"),
        ({"model__safetensors": None}, "neither model.safetensors nor model.safetensors.index.json is there: save"),
        ({"model__safetensors": one_file()["model.safetensors"][:-10]}, "the file was cut; copy it again"),
        ({"model__safetensors": b""}, "model.safetensors is empty"),
        ({"preprocessor_config__json": b'{"feature_size": 128}'}, "feature_size is 128, and num_mel_bins of"),
        ({"vocab__json": b'{"hello": 0}'}, "vocab.json: token 0 is 'hello'"),
        ({"generation_config__json": generation(alignment_heads=[[1]])}, "alignment_heads must be pairs of layer and"),
        ({"generation_config__json": generation(suppress_tokens=[51865])}, "suppress_tokens must be a list of"),
        ({"generation_config__json": generation(begin_suppress_tokens="x")}, "begin_suppress_tokens must be a list"),
        ({"generation_config__json": generation(max_initial_timestamp_index=-1)}, "max_initial_timestamp_index is -1"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    assert says in refused(folder_of(tmp_path / "tune", one_file(), **changed))


def with_index(change: Callable[[dict[str, str]], None]) -> bytes:
    index = json.loads(sharded()[INDEX])
    change(index["weight_map"])
    return json.dumps(index).encode()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({SHARDS[1]: None}, f"{INDEX} names {SHARDS[1]}, which is missing: copy all shards of the model"),
        ({INDEX: b"{}"}, f"{INDEX} has no `weight_map` from key to file"),
        ({INDEX: b'{"weight_map": {}}'}, f"{INDEX} names no file"),
        ({INDEX: with_index(lambda keys: keys.update({"model.more": SHARDS[0]}))}, "says that model.more is in"),
        ({INDEX: with_index(lambda keys: keys.update({"a": "../b"}))}, "'../b', which is no name of a file beside it"),
        ({INDEX: with_index(lambda keys: keys.pop("model.encoder.conv1.bias") and None)}, "finds in no file"),
        ({SHARDS[0]: sharded()[SHARDS[1]]}, f"{SHARDS[0]} has"),
    ],
)
def test_shards_that_do_not_fit_their_index(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    assert says in refused(folder_of(tmp_path / "tune", {**sharded(), **changed}))


@pytest.mark.parametrize(("tied", "is_served"), [(None, True), (True, True), (False, False)])
def test_a_last_layer_of_its_own_is_refused_where_it_counts(tmp_path: Path, tied: bool | None, is_served: bool) -> None:
    files = one_file(tie_word_embeddings=tied)
    files["model.safetensors"] = safetensors({**tensors(), "proj_out.weight": torch.zeros(51865, 8)})
    folder = folder_of(tmp_path / "tune", files)
    if is_served:
        load(folder, "cpu", "float32")
    else:
        assert "proj_out.weight is another matrix than the tokens' embedding" in refused(folder)
