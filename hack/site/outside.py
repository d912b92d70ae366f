"""Links of a page to files that are not documents: on the site they lead to the repository. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import Final

REPOSITORY: Final = "https://github.com/whisper-operator/whisper-operator/blob/main"
LINK: Final = re.compile(r"(\]\()(\.\./[^)\s]*)(\))")


def led_outside(markdown: str, page: str) -> str:
    """`markdown` of the document `page` (its path below docs), with absolute links to what lies outside docs."""

    def replaced(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), found[2]))
        return found[0] if target.startswith("docs/") else f"{found[1]}{REPOSITORY}/{target}{found[3]}"

    return LINK.sub(replaced, markdown)
