"""Each step of the start finds out something about the model, or ends with one sentence."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import wave
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from testbed import wheels
from tests.fakes.diarizer import FakeDiarizer
from tests.support.hub_models import one_file
from tests.support.processor import PRECISIONS
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import encoder_path, expected_sha256
from whisper_runtime.diarization.interface import Diarizer, SpeakerTurn
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.fetch.source_folder import checkpoint_sha256
from whisper_runtime.media.self_test import NotProven
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.process.digest_check import WrongFile
from whisper_runtime.process.start_up import CannotStart, StartUp, checkpoint
from whisper_runtime.service.model_info import ServedModel


def start_up(wrong: list[WrongFile] | None = None, **config: Any) -> tuple[StartUp, ServedModel, Metrics]:
    """The start of a process of that configuration; `wrong` gets what the check of the file finds."""
    configured = RuntimeConfig(**config)
    model, metrics = ServedModel(configured), Metrics("base")
    return StartUp(configured, model, metrics, ([] if wrong is None else wrong).append), model, metrics


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"weights")
    return path


def checked(start: StartUp, path: Path) -> None:
    """Waits for the check of the file."""
    check = start.check_digest(path)
    assert check is not None
    check.join(60)


def test_a_file_that_is_given_by_its_path_is_known_by_its_own_digest_once_it_is_read(mine: Path) -> None:
    start, model, _ = start_up(model=str(mine))
    start.fetch(mine)
    assert model.info.digest is None
    checked(start, mine)
    assert model.info.digest == hashlib.sha256(b"weights").hexdigest()


def test_the_digest_that_is_promised_of_such_a_file_is_checked_before_it_is_loaded(mine: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    start, model, _ = start_up(model=str(mine), model_sha256=digest)
    start.fetch(mine)
    assert model.info.digest == digest
    assert start.check_digest(mine) is None


def test_a_file_of_another_digest_than_was_promised_is_not_served(mine: Path) -> None:
    start, _, _ = start_up(model=str(mine), model_sha256="a" * 64)
    with pytest.raises(CannotStart, match=r"mine\.pt has sha256 9a12.*, but WHISPER_MODEL_SHA256 is aaaa.*: correct"):
        start.fetch(mine)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    start, _, _ = start_up(model=str(tmp_path / "missing.pt"))
    with pytest.raises(CannotStart, match=r"which cannot be read \(No such file or directory\): correct the path"):
        start.fetch(tmp_path / "missing.pt")


def test_a_folder_is_a_model_where_it_has_one(tmp_path: Path) -> None:
    start, model, _ = start_up(model=str(tmp_path))
    with pytest.raises(CannotStart, match=r"names the folder .*, which is no model: config\.json is missing"):
        start.fetch(tmp_path)
    for name, content in one_file().items():
        (tmp_path / name).write_bytes(content)
    start.fetch(tmp_path)
    checked(start, tmp_path)
    assert model.info.digest == checkpoint_sha256(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A mounted image with a model below /models."""
    folder = tmp_path / "image/models"
    folder.mkdir(parents=True)
    (folder / "mine.pt").write_bytes(b"weights")
    return tmp_path / "image"


def test_the_model_of_a_mounted_image_is_read_before_it_is_loaded(image: Path) -> None:
    config = {"model": "mine", "model_sha256": hashlib.sha256(b"weights").hexdigest(), "model_image_dir": str(image)}
    path = checkpoint(RuntimeConfig(**config))
    assert path == image / "models/mine.pt"
    start, model, _ = start_up(**config)
    start.fetch(path)
    assert model.info.digest == config["model_sha256"]
    assert start.check_digest(path) is None


def test_files_of_hugging_face_are_the_model_of_a_mounted_image(image: Path) -> None:
    (image / "models/mine.pt").unlink()
    for name, content in one_file().items():
        (image / "models" / name).write_bytes(content)
    sha256 = checkpoint_sha256(image / "models")
    start, model, _ = start_up(model="mine", model_sha256=sha256, model_image_dir=str(image))
    start.fetch(checkpoint(RuntimeConfig(model="mine", model_image_dir=str(image))))
    assert model.info.digest == sha256


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda image: None, "mine.pt has sha256 9a12.*, but spec.model.source.sha256 is aaaa.*: correct one of"),
        (lambda image: (image / "a.pt").write_bytes(b""), r"checkpoint of a Whisper \(a.pt, models/mine.pt\)"),
        (lambda image: (image / "models/mine.pt").unlink(), "it has none of these"),
        (lambda image: image.rename(image.with_name("gone")), "_IMAGE_DIR names .*: mount the model's image there"),
    ],
)  # fmt: skip
def test_a_mounted_image_without_the_model_is_not_served(
    image: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(image)
    config = {"model": "mine", "model_sha256": "a" * 64, "model_image_dir": str(image)}
    start, _, _ = start_up(**config)
    with pytest.raises(CannotStart, match=says):
        start.bring_up()


def test_the_digest_of_a_cached_file_is_published_once_the_file_is_found_to_have_it(
    weights: dict[str, Path], tmp_path: Path
) -> None:
    wrong: list[WrongFile] = []
    digest = hashlib.sha256(weights["tiny.en"].read_bytes()).hexdigest()
    config = {"model": "tiny.en", "model_sha256": digest, "model_dir": str(tmp_path), "device": "cpu"}
    start, model, metrics = start_up(wrong, **config)
    path = checkpoint(RuntimeConfig(**config))
    path.symlink_to(weights["tiny.en"])
    start.bring_up()
    assert model.info.digest is None
    checked(start, path)
    labels = {"model": "base", "digest": digest, "device": "cpu", "compute_type": "float32"}
    assert (model.info.digest, wrong) == (digest, [])
    assert metrics.registry.get_sample_value("whisper_model_info", labels) == 1


def test_a_cached_file_that_was_changed_or_is_gone_is_told_and_its_digest_is_not_published(tmp_path: Path) -> None:
    wrong: list[WrongFile] = []
    start, model, _ = start_up(wrong, model="tiny.en", model_dir=str(tmp_path))
    path = checkpoint(RuntimeConfig(model="tiny.en", model_dir=str(tmp_path)))
    path.write_bytes(b"weights")
    checked(start, path)
    path.unlink()
    checked(start, path)
    assert model.info.digest is None
    assert [str(error) for error in wrong] == [
        f"{path} has sha256 {hashlib.sha256(b'weights').hexdigest()} instead of {expected_sha256('tiny.en', None)}: "
        "delete the file, so that it is fetched again",
        f"{path} cannot be read any more (No such file or directory): look after its volume",
    ]


def test_a_loaded_model_has_its_digest_its_abilities_and_its_device(weights: dict[str, Path]) -> None:
    start, model, metrics = start_up(model=str(weights["tiny.en"]), device="cpu")
    start.bring_up()
    checked(start, weights["tiny.en"])
    digest = hashlib.sha256(weights["tiny.en"].read_bytes()).hexdigest()
    assert (model.info.digest, model.info.english_only, model.info.default_language) == (digest, True, "en")
    labels = {"model": "base", "digest": digest, "device": "cpu", "compute_type": "float32"}
    assert metrics.registry.get_sample_value("whisper_model_info", labels) == 1
    assert metrics.registry.get_sample_value("whisper_load_phase_seconds", {"phase": "load"})


def test_an_english_only_file_is_known_by_its_content(weights: dict[str, Path], tmp_path: Path) -> None:
    renamed = tmp_path / "mine.pt"
    renamed.symlink_to(weights["tiny.en"])
    start, _, _ = start_up(language="de", device="cpu")
    with pytest.raises(CannotLoad, match="WHISPER_LANGUAGE is 'de', which this English-only model"):
        start.load(renamed)


def test_a_language_that_the_model_lacks_is_refused_once_it_is_loaded(weights: dict[str, Path]) -> None:
    start, _, _ = start_up(language="yue", device="cpu")
    with pytest.raises(CannotLoad) as error:
        start.load(weights["base"])
    assert str(error.value) == (
        "WHISPER_LANGUAGE is 'yue', which this model of 99 languages does not know: "
        "set auto, or take a model such as large-v3"
    )


def test_a_model_that_transcribes_the_clip_wrong_is_not_proven(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(bytes(3200))
    (tmp_path / "clip.txt").write_text("Ask not.")
    start, _, metrics = start_up(golden_dir=str(tmp_path))
    start.prove(lambda *_: "ask not")
    with pytest.raises(NotProven):
        start.prove(lambda *_: "thank you")
    assert metrics.registry.get_sample_value("whisper_load_phase_seconds", {"phase": "prove"})


@pytest.mark.parametrize("compute_type", PRECISIONS)
def test_a_model_in_bfloat16_measures_what_that_is_worth(weights: dict[str, Path], compute_type: str) -> None:
    start, _, metrics = start_up(device="cpu", compute_type=compute_type)
    start.load(weights["tiny.en"])
    [speed] = [one for one in metrics.registry.collect() if one.name == "whisper_bfloat16_speed_ratio"]
    assert len(speed.samples) == (compute_type == "bfloat16")


def with_diarizer(path: Path | str | None) -> tuple[StartUp, ServedModel, Future[Diarizer]]:
    config = RuntimeConfig(model="base", diarization_model=path and str(path))
    model, diarizer = ServedModel(config), Future[Diarizer]()
    return StartUp(config, model, Metrics("base"), [].append, diarizer if path else None), model, diarizer


def test_no_speaker_encoder_is_loaded_where_none_is_named() -> None:
    start, model, diarizer = with_diarizer(None)
    start.load_diarizer()
    assert (model.info.diarizes, model.info.diarizer_digest, diarizer.done()) == (False, None, False)


def test_nothing_of_it_is_imported_by_the_process() -> None:
    """Beyond its types, and what cuts segments."""
    program = (
        "import sys, whisper_runtime.process.assemble, whisper_runtime.process.servers\n"
        "print(*sorted(name for name in sys.modules if name.startswith('whisper_runtime.diarization.')))"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert found == ["whisper_runtime.diarization.interface", "whisper_runtime.diarization.words"]


def test_a_speaker_encoder_that_cannot_be_loaded_ends_the_start(tmp_path: Path) -> None:
    start, _, diarizer = with_diarizer(tmp_path / "voices.pt")
    with pytest.raises(CannotLoad, match=r"voices\.pt cannot be read \(No such .*\): set WHISPER_DIARIZATION_MODEL"):
        start.load_diarizer()
    (tmp_path / "voices.pt").write_bytes(b"noise")
    with pytest.raises(CannotLoad, match=r"voices\.pt is no torch file: set WHISPER_DIARIZATION_MODEL"):
        start.load_diarizer()
    assert not diarizer.done()


def test_a_speaker_encoder_is_known_by_its_digest() -> None:
    path = wheels.ensure(wheels.RESEMBLYZER)
    start, model, diarizer = with_diarizer(path)
    start.load_diarizer()
    assert model.info.diarizer_digest == diarizer.result(0).digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "gpt-4o-transcribe-diarize" in model.info.names


def test_the_encoder_that_comes_with_the_runtime_is_known_before_it_is_loaded_and_proven() -> None:
    start, model, diarizer = with_diarizer("resemblyzer")
    promised = model.info.diarizer_digest
    start.load_diarizer()
    assert promised == diarizer.result(0).digest == model.info.diarizer_digest
    start.prove(lambda *_: "Please call me back tomorrow morning.")


def test_an_encoder_that_tells_nobody_apart_is_not_proven(mine: Path) -> None:
    start, _, diarizer = with_diarizer(mine)
    diarizer.set_result(FakeDiarizer([SpeakerTurn(0.0, 14.0, "A")]))
    with pytest.raises(NotProven, match=r"the speaker encoder .*mine\.pt finds 1 speakers in a dialogue of two"):
        start.prove(lambda *_: "Please call me back tomorrow morning.")


def test_where_speakers_are_not_told_apart_no_dialogue_is_listened_to() -> None:
    start, _, _ = with_diarizer(None)
    start.prove_diarizer()


def test_a_fetched_encoder_is_found_by_its_digest_and_another_file_is_not_loaded(tmp_path: Path) -> None:
    content = Path(encoder_path("", "resemblyzer", None)).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    config = RuntimeConfig(
        model="base", model_dir=str(tmp_path), diarization_model="voices", diarization_model_sha256=sha256
    )
    model, diarizer = ServedModel(config), Future[Diarizer]()
    assert model.info.diarizer_digest == sha256
    start = StartUp(config, model, Metrics("base"), [].append, diarizer)
    cached = tmp_path / f"voices-{sha256[:12]}.pt"
    cached.write_bytes(content + b"more")
    with pytest.raises(CannotLoad, match=r"voices-.*\.pt has sha256 .* instead of .*: delete the file, so that it is"):
        start.load_diarizer()
    cached.write_bytes(content)
    start.load_diarizer()
    assert diarizer.result(0).digest == sha256
