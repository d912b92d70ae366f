"""The answers of a batch, as they are read for a file."""

from __future__ import annotations

from whisper_runtime.service.batches.batch_table import pages


def test_pages_are_read_until_there_are_no_more() -> None:
    answers = {1: "a", 4: "é", 7: "c"}

    def read(after: int) -> list[tuple[int, str]]:
        return [(line, text) for line, text in answers.items() if line > after][:2]

    assert list(pages(read)) == ["a\né\n".encode(), b"c\n"]
    assert list(pages(lambda _: [])) == []
