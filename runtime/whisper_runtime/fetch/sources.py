"""Which source a configuration names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.credentials import authorization, read
from whisper_runtime.fetch.errors import FetchError, shown
from whisper_runtime.fetch.source import Source
from whisper_runtime.fetch.source_claim import MountedFile
from whisper_runtime.fetch.source_http import WebFile
from whisper_runtime.fetch.source_s3 import BucketAddress


def source_of(config: RuntimeConfig, stall_seconds: float, claim_dir: str) -> Source:
    """The source that `config` names; raises FetchError where its URL can be no source."""
    url = config.model_url or official_url(config.model)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise FetchError(DOWNLOAD_FAILED, f"spec.model.source.url is no URL: {error}") from None
    if "@" in parts.netloc:
        message = "the URL holds credentials, which are not sent: put them into spec.model.source.secretRef"
        raise FetchError(DOWNLOAD_FAILED, f"{shown(url)}: {message}")
    credentials = read(config.model_credentials_dir)
    match parts.scheme:
        case "http" | "https":
            return WebFile(shown(url), lambda: url, authorization(credentials), config.model_ca_file, stall_seconds)
        case "s3":
            return WebFile(url, BucketAddress(url, credentials), None, config.model_ca_file, stall_seconds)
        case "pvc":
            return MountedFile(url, Path(claim_dir))
        case _:
            raise FetchError(DOWNLOAD_FAILED, f"{shown(url)}: only http://, https://, s3:// and pvc:// can be fetched")


def official_url(model: str) -> str:
    """openai-whisper's own address for a name (`whisper._MODELS`)."""
    import whisper  # torch takes seconds to import, and a given URL has no use for it

    urls: dict[str, str] = whisper._MODELS  # pyright: ignore[reportPrivateUsage]
    return urls[model]
