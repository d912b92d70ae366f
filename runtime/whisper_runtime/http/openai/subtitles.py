"""Cues as a file: SubRip (srt) and WebVTT (https://www.w3.org/TR/webvtt1/); pure."""

from __future__ import annotations

import html
from collections.abc import Iterable

from whisper_runtime.http.openai.cues import Cue


def srt(cues: Iterable[Cue]) -> str:
    """SubRip has no escapes, and no voices: `&` and `<` are written as they are, and who speaks as text."""
    return "".join(
        f"{number}\n{_hours(cue.start, ',')} --> {_hours(cue.end, ',')}\n{_named(cue)}{cue.text}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def vtt(cues: Iterable[Cue]) -> str:
    """In WebVTT `&` and `<` begin markup, which is not shown; who speaks is a voice."""
    return "WEBVTT\n\n" + "".join(
        f"{_minutes(cue.start)} --> {_minutes(cue.end)}\n{_voice(cue)}{html.escape(cue.text, quote=False)}\n\n"
        for cue in cues
    )


def _named(cue: Cue) -> str:
    return f"{name}: " if (name := _speaker(cue)) else ""


def _voice(cue: Cue) -> str:
    return f"<v {html.escape(name, quote=False)}>" if (name := _speaker(cue)) else ""


def _speaker(cue: Cue) -> str | None:
    """Who speaks; None: that is not known."""
    return cue.speaker if cue.channel is None else f"Channel {cue.channel}"


def _hours(milliseconds: int, mark: str) -> str:
    """`mark` comes before the thousandths."""
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{thousandths:03}"


def _minutes(milliseconds: int) -> str:
    """Hours are left out where there are none, as openai-whisper does."""
    return _hours(milliseconds, ".").removeprefix("00:")
