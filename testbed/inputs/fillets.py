"""Lines that two actors for each language have spoken in the game Fish Fillets: Debian's packages, GPL-2.

The big fish's speaker and the small one's are told apart by the files' names, so that what is joined of them is a
dialogue whose speakers are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from testbed.inputs import packages
from testbed.paths import CACHE

FILLETS: Final = CACHE / "fillets"
LANGUAGES: Final = ("nl", "cs")
Actor = Literal["m", "v"]
"""Of the small fish, and of the big one, as files are named in Czech."""


def lines(language: str, actor: Actor) -> list[Path]:
    """Ogg files of one actor, in one order on every machine; fetched where missing."""
    return sorted(path for path in _ensure(language).rglob(f"*-{actor}-*.ogg") if path.stat().st_size)


def _ensure(language: str) -> Path:
    return packages.unpacked(FILLETS / language, f"fillets-ng-data-{language}")
