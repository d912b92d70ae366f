"""A real API server accepts each example, and refuses each invalid manifest with the sentence that it names."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import yaml

from hack.generate import __main__
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import service

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
INVALID = sorted((Path(__file__).parents[1] / "invalid").glob("*.yaml"))

LANGUAGES = ["auto", "AUTO", "jw", "jv", "nb-NO", "pt_BR", "zh-Hans-CN", "de_DE.UTF-8", "English", "FRANÇAIS", "日本語"]
LANGUAGES += [unicodedata.normalize("NFD", "Español (México)"), "o'zbek", " \u02bb\u014clelo Hawai\u02bbi "]


def name(file: Path) -> str:
    return file.stem


def sentence(file: Path) -> str:
    return file.read_text().splitlines()[0].removeprefix("# refused: ")


@pytest.mark.parametrize("file", EXAMPLES, ids=name)
def test_an_example_is_accepted(namespace: Kubectl, file: Path) -> None:
    namespace("apply", "-f", str(file))


@pytest.mark.parametrize("file", EXAMPLES, ids=name)
def test_nothing_rewrites_an_applied_example(namespace: Kubectl, file: Path) -> None:
    namespace("apply", "-f", str(file))
    assert namespace("diff", "-f", str(file)) == ""


@pytest.mark.parametrize("file", INVALID, ids=name)
def test_an_invalid_manifest_is_refused_with_its_sentence(namespace: Kubectl, file: Path) -> None:
    with pytest.raises(KubectlError) as refused:
        namespace("apply", "-f", str(file))
    assert sentence(file) in str(refused.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_any_word_of_the_runtimes_table(namespace: Kubectl, language: str) -> None:
    namespace.apply(service("speech", language=language))
    assert namespace.get_with_managers("wsvc", "speech")["spec"]["language"] == language, "the spec is the user's"


def test_kubectl_explain_reads_well(kubectl: Kubectl) -> None:
    told = kubectl("explain", "wsvc.spec.model")
    assert "The model to serve." in told
    assert "One of openai-whisper's names" in told


def test_an_unknown_field_is_refused(namespace: Kubectl) -> None:
    manifest = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    manifest["spec"]["modle"] = "base"
    with pytest.raises(KubectlError, match="modle"):
        namespace("apply", "-f", "-", stdin=yaml.safe_dump(manifest))


def test_what_is_generated_is_fresh() -> None:
    assert __main__.stale() == []
