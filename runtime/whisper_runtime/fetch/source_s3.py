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


def check_object(url: str, credentials: Mapping[str, str]) -> None:
    """Raises FetchError where `url` names no object, or `credentials` hold half a pair of keys."""
    parts = urlsplit(url)
    if not parts.netloc or not parts.path.lstrip("/"):
        raise FetchError(DOWNLOAD_FAILED, f"{url} does not name an object; for example s3://bucket/key")
    if (KEY_ID in credentials) != (KEY in credentials):
        message = f"spec.model.source.secretRef: the Secret needs both {KEY_ID} and {KEY}, or neither"
        raise FetchError(DOWNLOAD_FAILED, message)


def object_address(url: str, credentials: Mapping[str, str]) -> str:
    """Returns the http(s) address of an object, valid for VALID; without keys, of one in a public bucket.

    The Secret's AWS_ENDPOINT_URL and AWS_REGION name the server; AWS's own and us-east-1 without.
    """
    bucket, key = urlsplit(url).netloc, urlsplit(url).path.lstrip("/")
    region = credentials.get(REGION, "us-east-1")
    endpoint = credentials.get(ENDPOINT) or f"https://s3.{region}.amazonaws.com"
    if KEY_ID not in credentials:
        return f"{endpoint.rstrip('/')}/{bucket}/{quote(key)}"
    config: S3Config = {
        "endpoint": endpoint,
        "region": region,
        "access_key_id": credentials[KEY_ID],
        "secret_access_key": credentials[KEY],
        "virtual_hosted_style_request": False,
    }
    if session := credentials.get(SESSION):
        config["session_token"] = session
    store = S3Store(bucket, config=config, client_options={"allow_http": True})
    return obstore.sign(store, "GET", key, VALID)
