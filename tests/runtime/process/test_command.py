"""The command line refuses wrong arguments and variables, each by its name."""

from __future__ import annotations

import json

import pytest

from whisper_runtime.contract.version import VERSION
from whisper_runtime.process.command import main


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"WHISPER_PORT": "http"}, "WHISPER_PORT='http' is wrong: Input should be a valid integer"),
        (
            {"WHISPER_PORT": "70000"},
            "WHISPER_PORT='70000' is wrong: Input should be less than or equal to 65535",
        ),
        ({"WHISPER_DEVICE": "tpu"}, "WHISPER_DEVICE='tpu' is wrong: Input should be 'auto', 'cuda' or 'cpu'"),
        ({"WHISPER_MODEL_SHA256": "abc"}, "WHISPER_MODEL_SHA256='abc' is wrong"),
        (
            {"WHISPER_LANGUAGE": "englsh"},
            "WHISPER_LANGUAGE='englsh' is wrong: Value error, is not a language of Whisper; did you mean english?",
        ),
        (
            {"WHISPER_GOLDEN_LANGUAGE": "auto"},
            "WHISPER_GOLDEN_LANGUAGE='auto' is wrong: Value error, is not a language",
        ),
        ({"WHISPER_LANGUAGE": "x" * 10_000}, f"WHISPER_LANGUAGE='{'x' * 199}… is wrong"),
        ({"WHISPER_CORS_ALLOW_ORIGINS": "*"}, "WHISPER_CORS_ALLOW_ORIGINS='*' is wrong"),
    ],
)
@pytest.mark.usefixtures("root_logger")
def test_a_wrong_variable_is_named_on_one_line(
    environment: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve"], environment) == 2
    [line] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line["level"] == "CRITICAL"
    assert says in line["message"]
    assert "correct or unset it" in line["message"]


@pytest.mark.usefixtures("root_logger")
def test_the_log_is_text_where_that_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"], {"WHISPER_PORT": "http", "WHISPER_LOG_FORMAT": "text"}) == 2
    assert " CRITICAL command._end:" in capsys.readouterr().err


@pytest.mark.usefixtures("root_logger")
def test_a_variable_that_does_not_exist_gets_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"WHISPER_DEVISE": "cuda", "WHISPER_DEVICE": "cpu", "HOME": "/"}
    main(["verify", "--url", "nonsense", "--api-key-file", "/nowhere"], environment)
    warnings = [line for line in map(json.loads, capsys.readouterr().err.splitlines()) if line["level"] == "WARNING"]
    assert [line["message"] for line in warnings] == [
        "WHISPER_DEVISE is not a variable of this program and has no effect: correct or unset it"
    ]


def test_the_runtime_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"], {})
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["transcribe"], {})
    assert ended.value.code == 2
    assert "invalid choice: 'transcribe'" in capsys.readouterr().err
