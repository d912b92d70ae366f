"""A line on standard error that shows how far a transcription is, where that is a terminal."""

from __future__ import annotations

import datetime
import sys
from types import TracebackType
from typing import Any

from rich import progress as bars
from rich.console import Console


class TerminalProgress:
    """Shows the upload, then the position in the recording; elsewhere it says of tries alone."""

    def __init__(self, *, prints_text: bool) -> None:
        """`prints_text`: each segment's text goes to standard output as it comes."""
        self._prints_text = prints_text
        self._console = Console(stderr=True, highlight=False, markup=False)
        columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.TextColumn("{task.fields[state]}"))
        self._bars = bars.Progress(
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
            redirect_stdout=sys.stdout.isatty(),  # else the text would end on the terminal instead of in a file
        )
        self._task = self._bars.add_task("sending", total=None, state="")

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def sent(self, size: int, total: int) -> None:
        if size < total:
            state = f"{size / 1e6:.1f} of {total / 1e6:.1f} MB"
            self._bars.update(self._task, description="sending", completed=size, total=total, state=state)
        else:
            self._bars.update(self._task, description="transcribing", total=None, state="")

    def transcribed(self, segments: list[dict[str, Any]]) -> None:
        for segment in segments:
            self._bars.update(self._task, state=str(datetime.timedelta(seconds=int(segment["end"]))))
            if self._prints_text:
                print(segment["text"].strip(), flush=True)

    def tried(self, message: str, seconds: float) -> None:
        self._console.print(f"{message}; sent again in {seconds:.0f} s")
