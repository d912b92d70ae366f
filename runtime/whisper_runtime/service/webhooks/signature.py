"""Signatures of Standard Webhooks, which OpenAI's clients verify by `webhooks.unwrap`; pure but for `read_secrets`.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PREFIX: Final = "whsec_"
LEAST_KEY_BYTES: Final = 24
MOST_FILE_BYTES: Final = 4096
MOST_SECRETS: Final = 8
"""That sign an event; a rotation needs two."""


class BadSecret(Exception):
    """The directory has no secret to sign by, or one that is none; the message names the file and the remedy."""


def signed_headers(keys: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt: one signature by each key, so that a receiver may have either.

    `timestamp` is the attempt's Unix time in seconds: receivers refuse one that is five minutes off.
    """
    signed = b".".join((event_id.encode(), str(timestamp).encode(), body))
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


def read_secrets(directory: Path) -> list[bytes]:
    """The keys in a mounted Secret, each file of which is one, by their files' names; blocks.

    They are read anew for each attempt, so that a rotation needs no restart. Raises BadSecret.
    """
    try:
        names = sorted(entry.name for entry in directory.iterdir() if not entry.name.startswith("."))
        contents = [(name, _head(directory / name)) for name in names[:MOST_SECRETS]]
    except OSError as error:
        raise BadSecret(f"the secrets of webhooks cannot be read in {directory}: {error.strerror}") from None
    if not contents:
        raise BadSecret(f"there is no secret of webhooks in {directory}: mount a file that holds {PREFIX} and base64")
    return [_key(name, content) for name, content in contents]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_FILE_BYTES + 1)


def _key(name: str, content: bytes) -> bytes:
    secret, prefix = content.strip(), PREFIX.encode()
    try:
        key = base64.b64decode(secret.removeprefix(prefix), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(prefix) or len(key) < LEAST_KEY_BYTES or len(content) > MOST_FILE_BYTES:
        raise BadSecret(
            f"the secret of webhooks {name!r} is not {PREFIX} and the base64 of {LEAST_KEY_BYTES} or more bytes: "
            f"make one by echo {PREFIX}$(openssl rand -base64 32)"
        )
    return key
