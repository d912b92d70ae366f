"""Files and batches as the store that pods share has them: hashes, and answers as it keeps their texts; pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from whisper_runtime.service.batches.batch import BatchDraft, LineAnswer, LineFault, StoredBatch
from whisper_runtime.service.batches.file import StoredFile
from whisper_runtime.service.jobs.shared_verbs import FieldKinds, values_of_hash

FILE_FIELDS: Final = FieldKinds(floats=frozenset({"created", "expires"}), integers=frozenset({"size"}))
BATCH_FIELDS: Final = FieldKinds(
    floats=frozenset(
        {"window_seconds", "keep_seconds", "created", "expires", "began", "finalizing", "cancelling", "ended"}
    ),
    integers=frozenset({"total", "completed", "failed", "losses"}),
    json=frozenset({"metadata", "faults"}),
)
MOST_SENT_BYTES: Final = 1024**2
"""Of answers that are sent in one call, unless one alone is larger: others wait for it."""
MOST_SENT: Final = 500
"""Answers in one call: the words of a program have to fit on Lua's stack."""


def file_of(flat: Sequence[bytes]) -> StoredFile:
    return StoredFile(**values_of_hash(flat, (one.name for one in fields(StoredFile)), FILE_FIELDS))


def batch_of(flat: Sequence[bytes]) -> StoredBatch:
    """The batch of a hash; fields that it has not have their default."""
    values = values_of_hash(flat, (one.name for one in fields(StoredBatch)), BATCH_FIELDS)
    values["faults"] = tuple(LineFault(**one) for one in values.get("faults", ()))
    return StoredBatch(**values)


def words_of(draft: BatchDraft) -> list[str]:
    """Names and values, one after the other."""
    values = asdict(draft) | {"metadata": json.dumps(dict(draft.metadata))}
    return [str(word) for pair in values.items() if pair[1] is not None for word in pair]


def faults_text(faults: Sequence[LineFault]) -> str:
    return json.dumps([asdict(one) for one in faults])


def calls_of(answers: Sequence[LineAnswer]) -> Iterator[list[str | bytes]]:
    """The words of each call that keeps some of the answers: line, kind, bytes of the text, and the text packed."""
    words: list[str | bytes] = []
    size = 0
    for one in answers:
        text = f"{one.text}\n".encode()
        packed = zlib.compress(text, 1)
        if words and (size + len(packed) > MOST_SENT_BYTES or len(words) >= 4 * MOST_SENT):
            yield words
            words, size = [], 0
        words += [str(one.line), "error" if one.is_error else "output", str(len(text)), packed]
        size += len(packed)
    if words:
        yield words


def unpacked(texts: Sequence[Any]) -> bytes:
    """The texts of a file's answers, one behind the other, each with its end."""
    return b"".join(zlib.decompress(text) for text in texts if text is not None)
