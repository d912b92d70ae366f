"""Objects as the bodies of requests."""

from __future__ import annotations

import re
from typing import Final

import orjson

from whisper_operator.api.v1alpha1 import Manifest

NOT_YAML: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]")
"""UTF-8 of the characters that may stand in JSON's texts, and in YAML's not, or there for the end of a line."""


def encoded(body: Manifest) -> bytes:
    """JSON that is read as YAML alike, as the API server reads the body of a server-side apply.

    Characters beyond U+FFFF stand as they are, for YAML knows no pairs of surrogates; those that YAML forbids are
    escaped. Source: https://yaml.org/spec/1.2.2/#51-character-set
    """
    return NOT_YAML.sub(_escaped, orjson.dumps(body))


def _escaped(match: re.Match[bytes]) -> bytes:
    return f"\\u{ord(match.group().decode()):04x}".encode()
