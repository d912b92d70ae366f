"""Answers are sent in calls that a store can take, and come back byte for byte."""

from __future__ import annotations

import os
import zlib

from whisper_runtime.service.batches.batch import LineAnswer
from whisper_runtime.service.batches.shared_rows import MOST_SENT, MOST_SENT_BYTES, calls_of, unpacked


def test_a_call_has_no_more_answers_than_fit_on_the_stack_of_a_program() -> None:
    answers = [LineAnswer(number, "ç", is_error=number == 2) for number in range(1, 2 * MOST_SENT + 2)]
    calls = list(calls_of(answers))
    assert [len(words) // 4 for words in calls] == [MOST_SENT, MOST_SENT, 1]
    assert calls[0][:3] == ["1", "output", "3"]
    assert calls[0][4:6] == ["2", "error"]
    assert unpacked([calls[0][3], None, calls[0][7]]) == "ç\nç\n".encode()


def test_a_call_has_no_more_bytes_than_others_can_wait_for_unless_one_answer_has() -> None:
    large = os.urandom(MOST_SENT_BYTES // 2).hex()
    calls = list(calls_of([LineAnswer(number, large, is_error=False) for number in range(3)]))
    assert len(calls) == 3
    assert zlib.decompress(bytes(calls[2][3])) == f"{large}\n".encode()  # type: ignore[arg-type]
