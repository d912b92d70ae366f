"""Contents of jobs and files as objects of a bucket, which any number of machines reach; small ones are beside jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import IO, Final

from whisper_runtime.service.jobs.job import JobStoreAway
from whisper_runtime.service.jobs.kept_contents import file_of, unnamed_file
from whisper_runtime.service.shared.object_bucket import BucketAway, ObjectBucket

SMALL_BYTES: Final = 256 * 1024
"""What is not larger is kept beside its job: a result nearly always, a recording of some seconds."""

log = logging.getLogger(__name__)


class BucketContents:
    """See kept_contents.KeptContents; each method but `delete` may raise JobStoreAway."""

    def __init__(self, bucket: ObjectBucket) -> None:
        self._bucket = bucket

    async def keep(self, name: str, content: IO[bytes]) -> bytes:
        at = content.tell()
        small = await asyncio.to_thread(content.read, SMALL_BYTES + 1)
        if len(small) <= SMALL_BYTES:
            return small
        content.seek(at)
        try:
            await self._bucket.write(name, content)
        except BucketAway as error:
            raise JobStoreAway(str(error)) from error
        return b""

    async def open(self, name: str, beside: bytes) -> IO[bytes]:
        if beside:
            return await file_of(beside)
        file = unnamed_file()
        try:
            await self._bucket.read(name, file)
            file.seek(0)
        except BucketAway as error:
            file.close()
            raise JobStoreAway(str(error)) from error
        except BaseException:
            file.close()
            raise
        return file

    async def delete(self, names: Collection[str]) -> None:
        try:
            await self._bucket.delete(names)
        except BucketAway as error:  # they are nobody's now, and are found when what is old is looked at
            log.warning("%d objects are deleted later: %s", len(names), error)

    async def unchanged_for(self, seconds: float) -> set[str]:
        try:
            return await self._bucket.unchanged_for(seconds)
        except BucketAway as error:
            raise JobStoreAway(str(error)) from error
