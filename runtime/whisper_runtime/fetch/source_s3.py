"""s3://bucket/key as an address that any HTTP client can read: presigned where there are credentials.

So one code downloads from web servers and from buckets alike, with the same resuming, proxies and certificates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import obstore
from obstore.store import S3Store

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError

if TYPE_CHECKING:  # obstore has it in its stub alone
    from obstore.store import S3Config

VALID: Final = timedelta(hours=12)
"""Only the start of a download is judged by it; each attempt signs anew."""
ENDPOINT, REGION = "AWS_ENDPOINT_URL", "AWS_REGION"
KEY_ID, KEY, SESSION = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


class BucketAddress:
    """The address of one object; without a Secret, of one in a public bucket of AWS."""

    def __init__(self, url: str, credentials: Mapping[str, str]) -> None:
        """Raises FetchError where `url` names no object, or the Secret is not whole."""
        parts = urlsplit(url)
        self._bucket, self._key = parts.netloc, parts.path.lstrip("/")
        self._credentials = credentials
        if not self._bucket or not self._key:
            raise FetchError(DOWNLOAD_FAILED, f"{url} names no object: write s3://bucket/key")
        if (KEY_ID in credentials) != (KEY in credentials):
            message = f"spec.model.source.secretRef: the Secret needs both {KEY_ID} and {KEY}, or neither"
            raise FetchError(DOWNLOAD_FAILED, message)

    def __call__(self) -> str:
        region = self._credentials.get(REGION, "us-east-1")
        endpoint = self._credentials.get(ENDPOINT) or f"https://s3.{region}.amazonaws.com"
        if KEY_ID not in self._credentials:
            return f"{endpoint.rstrip('/')}/{self._bucket}/{quote(self._key)}"
        config: S3Config = {
            "endpoint": endpoint,
            "region": region,
            "access_key_id": self._credentials[KEY_ID],
            "secret_access_key": self._credentials[KEY],
            "virtual_hosted_style_request": False,
        }
        if session := self._credentials.get(SESSION):
            config["session_token"] = session
        store = S3Store(self._bucket, config=config, client_options={"allow_http": True})
        return obstore.sign(store, "GET", self._key, VALID)
