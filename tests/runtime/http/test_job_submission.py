"""What of a form makes a job another one: the digest of all that it holds, its metadata, its key."""

from __future__ import annotations

import io

import pytest
from fastapi import Request

from whisper_runtime.errors import HttpError
from whisper_runtime.http.job_submission import LONGEST_KEY, body_digest, idempotency_key, metadata_of
from whisper_runtime.http.openai.forms import TranslationForm


def test_a_digest_is_of_fields_and_file_and_leaves_the_file_to_be_read() -> None:
    file = io.BytesIO(b"a" * 3_000_000)
    digest = body_digest("fields", file)
    assert file.read(1) == b"a"
    assert digest == body_digest("fields", io.BytesIO(b"a" * 3_000_000))
    others = [
        body_digest("field", io.BytesIO(b"a" * 3_000_000)),
        body_digest("fields", io.BytesIO(b"a" * 2_999_999)),
        body_digest("fields", None),
    ]
    assert len({digest, *others}) == 4


def test_metadata_are_the_fields_of_that_name_alone() -> None:
    fields = {"metadata[a]": "b", "metadata[c[d]]": "", "metadata": "x", "metadatas[a]": "y"}
    assert metadata_of(TranslationForm.model_validate({"model": "base", **fields})) == {"a": "b", "c[d]": ""}


@pytest.mark.parametrize("fields", [{"metadata[]": "x"}, {"metadata[a]": "x" * 513}, {"metadata[a]": ["x", "y"]}])
def test_metadata_have_bounds(fields: dict[str, object]) -> None:
    with pytest.raises(HttpError, match="metadata"):
        metadata_of(TranslationForm.model_validate({"model": "base", **fields}))


def test_a_key_is_the_header() -> None:
    def key(*headers: tuple[bytes, bytes]) -> str | None:
        return idempotency_key(Request({"type": "http", "headers": list(headers)}))

    assert key() is None
    assert key((b"idempotency-key", b"k" * LONGEST_KEY)) == "k" * LONGEST_KEY
    with pytest.raises(HttpError, match="send a UUID"):
        key((b"idempotency-key", b"k" * (LONGEST_KEY + 1)))
