"""s3://bucket/key as an address that any HTTP client can read: presigned where there are credentials.

So one code downloads from web servers and from buckets alike, with the same resuming, proxies and certificates.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError, TransientFetchError

if TYPE_CHECKING:  # obstore has it in its stub alone
    from obstore.store import S3Config

VALID: Final = timedelta(hours=12)
"""Only the start of a download is judged by it; each attempt signs anew."""
ENDPOINT, REGION = "AWS_ENDPOINT_URL", "AWS_REGION"
TOKEN_SERVICE: Final = "AWS_ENDPOINT_URL_STS"
KEY_ID, KEY, SESSION = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
IDENTITY: Final = frozenset(
    {
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    }
)
"""Variables by which a cloud lets a pod exchange its ServiceAccount for credentials.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""


def check_object(url: str, credentials: Mapping[str, str]) -> None:
    """Raises FetchError where `url` names no object, or `credentials` hold half a pair of keys."""
    parts = urlsplit(url)
    if not parts.netloc or not parts.path.lstrip("/"):
        raise FetchError(DOWNLOAD_FAILED, f"{url} does not name an object; for example s3://bucket/key")
    if (KEY_ID in credentials) != (KEY in credentials):
        message = f"spec.model.source.secretRef: the Secret needs both {KEY_ID} and {KEY}, or neither"
        raise FetchError(DOWNLOAD_FAILED, message)


def object_address(url: str, credentials: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> str:
    """Returns the http(s) address of an object, valid for VALID; without credentials, of one in a public bucket.

    AWS_ENDPOINT_URL and AWS_REGION of `credentials`, the Secret's keys, or else of `environment` name the server; AWS's
    own and us-east-1 without. Without keys in the Secret, the pod's ServiceAccount signs where the cloud gives it an
    identity. Raises TransientFetchError where that gets no credentials, and FetchError where it never will.
    """
    bucket, key = urlsplit(url).netloc, urlsplit(url).path.lstrip("/")
    region = credentials.get(REGION) or environment.get(REGION, "us-east-1")
    endpoint = credentials.get(ENDPOINT) or environment.get(ENDPOINT) or f"https://s3.{region}.amazonaws.com"
    if KEY_ID not in credentials and not IDENTITY & environment.keys():
        return f"{endpoint.rstrip('/')}/{bucket}/{quote(key)}"
    if KEY_ID not in credentials:
        _check_token_service(environment)
    config: S3Config = {"endpoint": endpoint, "region": region, "virtual_hosted_style_request": False}
    if KEY_ID in credentials:
        config["access_key_id"], config["secret_access_key"] = credentials[KEY_ID], credentials[KEY]
        if session := credentials.get(SESSION):
            config["session_token"] = session
    store = S3Store(bucket, config=config, client_options={"allow_http": True}, retry_config={"max_retries": 0})
    try:
        return obstore.sign(store, "GET", key, VALID)
    except BaseError as error:  # its text has addresses redacted, and no credential
        reason = str(error).partition("\n")[0]
        message = f"{url}: the pod's ServiceAccount got no credentials from the cloud: {reason}"
        raise TransientFetchError(DOWNLOAD_FAILED, message) from None


def _check_token_service(environment: Mapping[str, str]) -> None:
    """Raises FetchError for a token service without TLS, which object_store 0.14 asks nothing and says nothing of."""
    address = environment.get(TOKEN_SERVICE, "https://")
    if not address.lower().startswith("https://"):
        message = f"{TOKEN_SERVICE} is {address}: a ServiceAccount's token is exchanged over https alone"
        raise FetchError(DOWNLOAD_FAILED, message)
