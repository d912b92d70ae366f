"""The recording that a form has: the file itself, or where it is."""

from __future__ import annotations

from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.http.openai.forms import SourceFields
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.downloads import RemoteFile, not_fetched


def media_source(fields: SourceFields, *, takes_urls: bool) -> MediaFile | RemoteFile:
    """The one of `file` and `url` that the form has; an empty `url` is none.

    `takes_urls`: whether this server fetches from anywhere. Raises HttpError (400) for both, for none, and for a `url`
    where it does not.
    """
    if fields.url and not takes_urls:
        raise not_fetched()
    if fields.url and fields.file is not None:
        raise invalid_value("url", "`file` and `url` are both given, and each is a recording: send one of them.")
    if fields.url:
        return RemoteFile(fields.url)
    if fields.file is not None:
        return MediaFile(fields.file.file, DeclaredType(fields.file.content_type or "", fields.file.filename or ""))
    raise missing_file(takes_urls=takes_urls)


def missing_file(*, takes_urls: bool = False) -> HttpError:
    """400 for a form without a recording."""
    address = ", or its address in `url`" if takes_urls else ""
    message = (
        "`file` is missing: send the audio as multipart/form-data, in a part named `file` that has a `filename`"
        f"{address}."
    )
    return HttpError(400, message, param="file", code="missing_file")
