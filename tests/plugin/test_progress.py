"""Where no terminal is, nothing is drawn: the text comes, and of tries is told."""

from __future__ import annotations

import pytest
from kubectl_whisper.progress import TerminalProgress

SEGMENT = {"end": 61.5, "text": " And so,"}


def test_the_text_comes_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress(prints_text=True) as progress:
        progress.sent(5, 10)
        progress.sent(10, 10)
        progress.transcribed([SEGMENT, SEGMENT])
        progress.tried("the connection ended", 2.0)
    out, err = capsys.readouterr()
    assert out == "And so,\nAnd so,\n"
    assert err == "the connection ended; sent again in 2 s\n"


def test_no_text_comes_where_another_format_does(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress(prints_text=False) as progress:
        progress.transcribed([SEGMENT])
    assert capsys.readouterr().out == ""


def test_a_terminal_is_shown_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    # What is drawn last is what was there at the end.
    with TerminalProgress(prints_text=True) as progress:
        progress.sent(2_000_000, 8_000_000)
    with TerminalProgress(prints_text=True) as progress:
        progress.sent(8_000_000, 8_000_000)
        progress.transcribed([SEGMENT])
    out, err = capsys.readouterr()
    assert out == "And so,\n", "the text is the file's, not the terminal's"
    assert "2.0 of 8.0 MB" in err
    assert "0:01:01" in err
