"""The move from whisper-1: the page's examples as they are written, answers of whisper-1's shape, the comparison."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples import compare
from testbed import nodejs
from testbed.paths import REPOSITORY
from tests.support import plain_http
from tests.support.openai_clients import NODE

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/from-openai.md").read_text()
EXAMPLES = re.findall(r"^```(python|sh|js)\n(.*?)^```", PAGE, re.S | re.M)
INTERPRETERS = {
    "python": (sys.executable, "-W", "ignore::DeprecationWarning", "-c"),
    "sh": ("sh", "-c"),
    "js": ("node", "-e"),
}
GERMAN = "Das Haus ist alt, aber der Garten ist sehr schön. Meine Mutter wohnt dort seit zwanzig Jahren."
SHAPES: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((Path(__file__).parent / "whisper-1.yaml").read_text())
OURS_ALONE = {"task"}
"""Of translations; the specification has it in an example of transcriptions."""


def german(words: str, path: Path) -> None:
    command = ("espeak-ng", "-v", "de", "-s", "130", "--stdout", words)
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    subprocess.run(("ffmpeg", "-loglevel", "error", "-i", "-", str(path)), input=wav, check=True)


@pytest.fixture(scope="module")
def folder(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the two recordings that the page names."""
    folder = tmp_path_factory.mktemp("recordings")
    ffmpeg = ("ffmpeg", "-loglevel", "error", "-i", str(recordings / "jfk.wav"), str(folder / "speech.mp3"))
    subprocess.run(ffmpeg, check=True)
    german(GERMAN, folder / "rede.ogg")
    return folder


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=[f"{n}-{kind}" for n, (kind, _) in enumerate(EXAMPLES)])
def test_each_example_of_the_page_runs_as_it_is_written(
    multilingual: str, folder: Path, language: str, code: str
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "OPENAI_BASE_URL": f"{multilingual}/v1",
        "OPENAI_API_KEY": "none",
        "NODE_PATH": str(nodejs.ensure(NODE)) if language == "js" else "",
    }
    command = (*INTERPRETERS[language], code)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr if language != "sh" else "") == (0, "")
    answer = done.stdout or (folder / "speech.srt").read_text()
    assert re.search(r"country|garden", answer, re.I)


def kind(value: Any) -> str:
    return {str: "string", int: "integer", float: "number"}[type(value)]


def shape(value: Any, path: str = "") -> dict[str, str]:
    """The fields of an answer and what each is, as whisper-1.yaml has them."""
    if isinstance(value, dict):
        found = [shape(inner, f"{path}.{name}" if path else name) for name, inner in value.items()]
        return {field: kind for fields in found for field, kind in fields.items()}
    if isinstance(value, list):
        return {field: kind for inner in value for field, kind in shape(inner, f"{path}[]").items()}
    return {path: kind(value)}


@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
@pytest.mark.parametrize("operation", ["transcriptions", "translations"])
def test_an_answer_has_the_fields_of_whisper_1(
    multilingual: str, folder: Path, operation: str, response_format: str
) -> None:
    """Every one of them, of its kind; a whole number is a number, too."""
    wanted = SHAPES[operation][response_format]
    fields: dict[str, Any] = {"model": "whisper-1", "response_format": response_format}
    if "words[].word" in wanted:
        fields["timestamp_granularities[]"] = ["word", "segment"]
    files = {"file": (folder / "rede.ogg").read_bytes()}
    answer = plain_http.post(f"{multilingual}/v1/audio/{operation}", files=files, data=fields, timeout=300)
    found = shape(answer.json())
    assert {field for field in found if field not in wanted} <= OURS_ALONE
    assert {field: found.get(field) for field in wanted} == {
        field: "integer" if kind == "number" and found.get(field) == "integer" else kind
        for field, kind in wanted.items()
    }


def test_the_page_names_every_field_of_whisper_1() -> None:
    names = {
        name
        for formats in SHAPES.values()
        for fields in formats.values()
        for field in fields
        for name in field.split(".")
    }
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_a_folder_is_compared(multilingual: str, real: tuple[str, str], folder: Path, tmp_path: Path) -> None:
    """English alone is the same for tiny.en; German is not, and its words differ."""
    url, _ = real
    (tmp_path / "speech.mp3").symlink_to(folder / "speech.mp3")
    german("Guten Morgen, meine Mutter.", tmp_path / "gruss.ogg")
    command = (sys.executable, str(REPOSITORY / "examples/compare.py"), str(tmp_path))
    done = subprocess.run(
        (*command, "--old", f"{multilingual}/v1", "--new", f"{url}/v1"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    english, greeting = (
        next(line for line in done.stdout.splitlines() if name in line) for name in ("speech", "gruss")
    )
    assert re.fullmatch(r"\| speech.mp3 \| 22 \| 0.0% \| 0.\d\d s, [01].\d\d s \| \+0.00 s \|", english)
    assert " 0.0% " not in greeting
    assert "Fields only in the new answers: none" in done.stdout


def test_a_recording_without_an_answer_is_named(multilingual: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no recording")
    both = ("--old", f"{multilingual}/v1", "--new", f"{multilingual}/v1")
    command = (sys.executable, str(REPOSITORY / "examples/compare.py"), str(tmp_path), *both)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No answer for notes.txt" in done.stdout


OLD = {
    "text": "Ask not, what",
    "duration": 2.0,
    "words": [{"word": "Ask", "start": 0.0}, {"word": "not,", "start": 0.5}],
}


def test_words_are_compared_without_case_and_punctuation() -> None:
    new = {**OLD, "words": [{"word": "—", "start": 0.0}, {"word": "ask", "start": 0.1}, {"word": "knot", "start": 0.9}]}
    found = compare.compare(OLD, {**new, "duration": 2.5, "extra": [{"inner": 1}]})
    assert (found.words, found.error_rate, found.seconds) == (2, 0.5, [0.1])
    assert (found.duration, found.missing, found.added) == (0.5, [], ["extra", "extra[].inner"])


def test_an_answer_without_words_is_compared_by_its_text() -> None:
    found = compare.compare({**OLD, "words": []}, {"text": "ASK NOT what", "duration": 2.0})
    assert (found.words, found.error_rate, found.seconds, found.missing) == (3, 0.0, [], ["words"])


@pytest.mark.parametrize(("text", "rate"), [("", 0.0), ("Thanks.", 1.0)])
def test_words_where_there_were_none_are_a_difference(text: str, rate: float) -> None:
    found = compare.compare({"text": "", "duration": 1.0}, {"text": text, "duration": 1.0})
    assert found.error_rate == rate
