"""A bucket of an S3 server that the pods share, with nothing left to the client's defaults."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Final, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.fetch import credentials
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.source_s3 import ENDPOINT, KEY, KEY_ID, REGION, SESSION

if TYPE_CHECKING:  # obstore has them in its stubs alone
    from obstore import ObjectMeta
    from obstore.store import S3Config

BLOCK_BYTES: Final = 1024**2
CONNECT_SECONDS: Final = 5
REQUEST_SECONDS: Final = 60
"""For one request and its answer; a large object is written in several, of 5 MiB each."""
TRIAL: Final = "(trial)"
"""Begins the name of an object that is written to see whether it can be."""
NO_BUCKET: Final = "NoSuchBucket"
"""The code in S3's answer: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
QUOTED: Final = 200
"""Characters of what the client says."""
AWAY: Final = (BaseError, FetchError)


class BucketAway(Exception):
    """The bucket cannot be reached, or cannot do it; whether it has done it is not known."""


@dataclass(frozen=True)
class ObjectPlace:
    bucket: str
    prefix: str
    """What the names of all objects begin with; it ends in a slash."""
    region: str | None
    endpoint: str | None
    credentials_dir: str | None
    """A mounted Secret; None: the pod's ServiceAccount signs."""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def place_of(config: RuntimeConfig) -> ObjectPlace | None:
    """None: the configuration names no bucket. Services that share one have objects of their own."""
    if config.jobs_s3_bucket is None:
        return None
    parts = [part for part in (config.jobs_s3_prefix.strip("/"), config.redis_prefix) if part]
    return ObjectPlace(
        config.jobs_s3_bucket,
        "/".join(parts) + "/",
        config.jobs_s3_region,
        config.jobs_s3_endpoint,
        config.jobs_s3_credentials_dir,
    )


class ObjectBucket:
    """Each method may raise BucketAway, and lets go of the client then: the next one has the newest credentials."""

    def __init__(self, place: ObjectPlace) -> None:
        self._place = place
        self._opened: S3Store | None = None

    async def write(self, name: str, content: IO[bytes]) -> None:
        """Writes what is left to read."""
        try:
            await obstore.put_async(self._client(), self._key(name), content)
        except (*AWAY, FileNotFoundError) as error:
            raise self._away(error) from error

    async def read(self, name: str, target: IO[bytes]) -> None:
        """Writes the object to the file; raises FileNotFoundError where there is none."""
        try:
            found = await obstore.get_async(self._client(), self._key(name))
            async for block in found.stream(min_chunk_size=BLOCK_BYTES):
                await asyncio.to_thread(target.write, block)
        except FileNotFoundError as error:
            if NO_BUCKET in str(error):
                raise self._away(error) from error
            raise FileNotFoundError(name) from error
        except AWAY as error:
            raise self._away(error) from error

    async def delete(self, names: Collection[str]) -> None:
        """Those that are there."""
        try:
            with suppress(FileNotFoundError):  # which S3's own server never says of an object
                await obstore.delete_async(self._client(), list(map(self._key, names)))
        except AWAY as error:
            raise self._away(error) from error

    async def unchanged_for(self, seconds: float) -> set[str]:
        """The names of objects that nobody has written for so long."""
        latest = datetime.now(UTC) - timedelta(seconds=seconds)
        found: set[str] = set()
        try:
            async for page in _listed(self._client(), self._place.prefix):
                found |= {one["path"].rpartition("/")[2] for one in page if one["last_modified"] <= latest}
        except (*AWAY, FileNotFoundError) as error:
            raise self._away(error) from error
        return found

    async def problem(self) -> str | None:
        """What keeps objects from being written, read, listed and deleted there, with a remedy; None: nothing does."""
        name = f"{TRIAL}{secrets.token_hex(8)}"
        try:
            client, key = self._client(), self._key(name)
            await obstore.put_async(client, key, b"to be deleted")
            await (await obstore.get_async(client, key)).bytes_async()
            await anext(aiter(_listed(client, key)), None)
            await obstore.delete_async(client, key)
        except (*AWAY, FileNotFoundError) as error:
            remedy = "see whether its server runs and can be reached, and whether the bucket and the Secret are right"
            return f"{self._away(error)}: {remedy}"
        return None

    def _key(self, name: str) -> str:
        return f"{self._place.prefix}{name}"

    def _client(self) -> S3Store:
        """Raises FetchError where the Secret cannot be read."""
        if self._opened is None:
            self._opened = open_bucket(self._place, credentials.read(self._place.credentials_dir))
        return self._opened

    def _away(self, error: Exception) -> BucketAway:
        self._opened = None
        return BucketAway(f"{self._place} cannot be used ({str(error).partition(chr(10))[0][:QUOTED]})")


def open_bucket(place: ObjectPlace, secret: Mapping[str, str]) -> S3Store:
    """A client that has not connected yet; `secret`: the keys of the mounted Secret, empty where there is none."""
    region = place.region or secret.get(REGION) or "us-east-1"
    config: S3Config = {"region": region, "virtual_hosted_style_request": False}
    if endpoint := place.endpoint or secret.get(ENDPOINT):
        config["endpoint"] = endpoint
    with suppress(KeyError):
        config["access_key_id"], config["secret_access_key"] = secret[KEY_ID], secret[KEY]
        config["session_token"] = secret[SESSION]
    return S3Store(
        place.bucket,
        config=config,
        client_options={
            "allow_http": True,
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "timeout": timedelta(seconds=REQUEST_SECONDS),
        },
        retry_config={"max_retries": 0},
    )


def _listed(client: S3Store, prefix: str) -> AsyncIterable[Sequence[ObjectMeta]]:
    return cast(Any, obstore).list(client, prefix)
