"""The command line: what nonsense gets."""

from __future__ import annotations

import pytest

from whisper_runtime.__main__ import main


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
        ({"WHISPER_CORS_ALLOW_ORIGINS": "*"}, "WHISPER_CORS_ALLOW_ORIGINS='*' is wrong"),
    ],
)
def test_a_wrong_variable_is_named_on_one_line(
    environment: dict[str, str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert main(["serve"], environment) == 2
    assert len(caplog.messages) == 1
    assert says in caplog.text
    assert "correct or unset it" in caplog.text


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["transcribe"], {})
    assert ended.value.code == 2
    assert "invalid choice: 'transcribe'" in capsys.readouterr().err
