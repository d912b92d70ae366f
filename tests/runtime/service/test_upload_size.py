"""A body that is too large is known by its declared length."""

from __future__ import annotations

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.service.upload_size import check_upload_size


@pytest.mark.parametrize("size", [None, 0, 1000])
def test_what_may_be_small_enough_is_read(size: int | None) -> None:
    check_upload_size(size, 1000)


def test_what_is_too_large_is_refused_with_the_limit() -> None:
    with pytest.raises(HttpError, match="larger than the 1000 bytes that this server accepts") as refused:
        check_upload_size(1001, 1000)
    assert (refused.value.status_code, refused.value.body["code"]) == (413, "upload_too_large")
