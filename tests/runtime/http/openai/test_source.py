"""A form has its recording as a file or by a URL: one of both."""

from __future__ import annotations

import io

import pytest
from fastapi import UploadFile

from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import PlainForm
from whisper_runtime.http.openai.source import media_source
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.downloads import RemoteFile

FILE = UploadFile(io.BytesIO(b"speech"), filename="a.ul", headers=None)
URL = "https://files.example.com/a.mp3"


@pytest.mark.parametrize("takes_urls", [True, False])
@pytest.mark.parametrize("url", [None, ""])
def test_a_file(url: str | None, takes_urls: bool) -> None:
    source = media_source(PlainForm(file=FILE, url=url), takes_urls=takes_urls)
    assert source == MediaFile(FILE.file, DeclaredType("", "a.ul"))


def test_a_url() -> None:
    assert media_source(PlainForm(url=URL), takes_urls=True) == RemoteFile(URL)


@pytest.mark.parametrize(
    ("form", "takes_urls", "param", "code", "says"),
    [
        (PlainForm(file=FILE, url=URL), True, "url", "invalid_value", "send one of them"),
        (PlainForm(), True, "file", "missing_file", "or its address in `url`"),
        (PlainForm(), False, "file", "missing_file", "in a part named `file` that has a `filename`."),
        (PlainForm(url=URL), False, "url", "unsupported_parameter", "send the recording itself in `file`"),
        (PlainForm(file=FILE, url=URL), False, "url", "unsupported_parameter", "fetches no files"),
    ],
)
def test_both_or_none_is_refused(form: PlainForm, takes_urls: bool, param: str, code: str, says: str) -> None:
    with pytest.raises(HttpError) as refused:
        media_source(form, takes_urls=takes_urls)
    assert (refused.value.status_code, refused.value.body["param"], refused.value.body["code"]) == (400, param, code)
    assert says in str(refused.value.body["message"])
