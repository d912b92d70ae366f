"""What keeps a process from starting, told in one sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.metrics import Metrics
from whisper_runtime.process import assemble
from whisper_runtime.process.servers import CannotServe
from whisper_runtime.service.languages import wrong_default


def test_a_language_of_nobody_is_told_before_anything_is_fetched() -> None:
    assert assemble.run(RuntimeConfig(language="xx")) == (
        "WHISPER_LANGUAGE is 'xx', which Whisper does not know: set an ISO-639-1 code such as en, or auto"
    )


def test_where_no_upload_could_be_kept_nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert assemble.run(RuntimeConfig()) == (
        "TMPDIR is /nowhere, where no upload can be written (No such file or directory): mount a writable directory"
    )


def test_a_model_of_nobody_is_told_with_those_that_there_are() -> None:
    problem = assemble.run(RuntimeConfig(model="medium.de")) or ""
    assert problem.startswith("WHISPER_MODEL is 'medium.de', which is none of openai-whisper's: write one of tiny.en, ")
    assert problem.endswith("or say where it is in WHISPER_MODEL_URL and WHISPER_MODEL_SHA256")


def test_a_language_that_an_english_model_lacks_is_told_before_it_is_fetched() -> None:
    assert assemble.run(RuntimeConfig(model="small.en", language="de")) == (
        "WHISPER_LANGUAGE is 'de', which this model of English alone does not know: "
        "set auto or en, or take a multilingual model, as base"
    )


def test_a_file_of_english_alone_is_known_by_its_content(weights: dict[str, Path], tmp_path: Path) -> None:
    renamed = tmp_path / "mine.pt"
    renamed.symlink_to(weights["tiny.en"])
    with pytest.raises(CannotLoad, match="WHISPER_LANGUAGE is 'de', which this model of English alone"):
        assemble._load(RuntimeConfig(language="de", device="cpu"), renamed, Metrics())  # pyright: ignore[reportPrivateUsage]


def test_a_language_that_the_model_lacks_is_told_once_it_is_loaded(weights: dict[str, Path]) -> None:
    config = RuntimeConfig(language="yue", device="cpu")
    with pytest.raises(CannotLoad) as error:
        assemble._load(config, weights["base"], Metrics())  # pyright: ignore[reportPrivateUsage]
    assert str(error.value) == (
        "WHISPER_LANGUAGE is 'yue', which this model of 99 languages does not know: "
        "set auto, or a model of 100, as large-v3"
    )


@pytest.mark.parametrize(("language", "languages"), [("auto", 99), ("de", 99), ("German", 99), ("yue", 100), ("en", 1)])
def test_what_the_model_knows_is_its_language(language: str, languages: int) -> None:
    assert wrong_default(language, languages) is None


def test_a_file_that_is_given_by_its_path_is_known_by_its_own_digest(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    for sha256 in (None, digest):
        assert assemble.ensure(RuntimeConfig(model=str(path), model_sha256=sha256), path, Metrics()) == digest


def test_a_file_of_another_digest_than_was_promised_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"weights")
    with pytest.raises(CannotServe, match=r"mine\.pt has sha256 9a12.*, but WHISPER_MODEL_SHA256 is aaaa.*: correct"):
        assemble.ensure(RuntimeConfig(model=str(path), model_sha256="a" * 64), path, Metrics())


@pytest.mark.parametrize(("name", "why"), [("missing.pt", "No such file or directory"), (".", "Is a directory")])
def test_a_path_to_no_file_is_told(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    with pytest.raises(CannotServe, match=rf"which cannot be read \({why}\): correct the path"):
        assemble.ensure(RuntimeConfig(model=str(path)), path, Metrics())
