"""The programs that a store runs to keep results and to find them: their keys, arguments and replies. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from whisper_runtime.service.result_cache.store import ENTRY_BYTES, StoredContent
from whisper_runtime.service.shared.program_call import ProgramCall, service_key

KEEP: Final = Path(__file__).with_name("keep_result.lua").read_text()
FIND: Final = Path(__file__).with_name("find_result.lua").read_text()
MOST_PACKED_BYTES: Final = 512 * 1024
"""Of one result: text of some five hours with the times of words. A larger one would hold up the calls beside it."""
MOST_CONTENT_BYTES: Final = 64 * MOST_PACKED_BYTES
"""Of one result that is unpacked, whatever somebody else has put there."""


def packed(content: bytes) -> bytes | None:
    """The content as the store has it; None: it is too large for that. Takes a hundredth of a second for an hour."""
    found = zlib.compress(content, 1)
    return found if len(found) <= MOST_PACKED_BYTES else None


def keeping(prefix: str, key: str, content: bytes, keep_seconds: int, max_bytes: int) -> ProgramCall:
    """The call that keeps what was packed under the key; `max_bytes`: of all results of the service."""
    keys = (_key(prefix, key), service_key(prefix, "results"), service_key(prefix, "results:bytes"))
    return ProgramCall(KEEP, keys, (content, str(keep_seconds), str(max_bytes), str(ENTRY_BYTES)))


def forgetting(prefix: str, key: str) -> ProgramCall:
    """The call that forgets what is kept under the key."""
    return keeping(prefix, key, b"", 0, 0)


def finding(prefix: str, key: str) -> ProgramCall:
    return ProgramCall(FIND, (_key(prefix, key),), ())


def stored_content(reply: Sequence[bytes | int]) -> StoredContent | None:
    """What such a call has found; None: nothing, or nothing that was packed."""
    if not reply:
        return None
    content, age, seconds_left = reply
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(bytes(content), MOST_CONTENT_BYTES)
    except zlib.error:
        return None
    return StoredContent(found, float(age), float(seconds_left)) if unpacking.eof else None


def _key(prefix: str, key: str) -> str:
    return service_key(prefix, f"result:{key}")
