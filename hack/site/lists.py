"""Lists as Python's Markdown wants them: by four spaces, where GitHub goes by the width of `- ` or `1. `. Pure."""

from __future__ import annotations

import re
from typing import Final

ITEM: Final = re.compile(r"(?:[-*+]|\d+\.) +")
FENCE: Final = "```"
WIDTH: Final = 4


def widened(markdown: str) -> str:
    """`markdown` in which what belongs to an item of a list is indented by four spaces, however it was.

    An item that follows one of several paragraphs gets an empty line before it, without which it would be part of them.
    """
    lines: list[str] = []
    offset = 0  # of what belongs to the current item; 0: in no list
    is_code = has_paragraphs = False
    for line in markdown.split("\n"):
        belongs = bool(offset) and line.startswith(" " * offset)
        follows_blank = bool(lines) and not lines[-1].strip()
        if line.lstrip().startswith(FENCE):
            is_code = not is_code
        elif not is_code and (item := ITEM.match(line)):
            if has_paragraphs and not follows_blank:
                lines.append("")
            offset, belongs, has_paragraphs = item.end(), False, False
        elif line.strip() and not belongs and follows_blank:
            offset, has_paragraphs = 0, False
        has_paragraphs |= belongs and follows_blank
        lines.append(" " * (WIDTH - offset) + line if belongs and line.strip() else line)
    return "\n".join(lines)
