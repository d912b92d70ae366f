"""What a request's Cache-Control says, as far as it concerns a cache of results (RFC 9111, section 5.2.1); pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CacheDirectives:
    no_store: bool = False
    """Nothing of the request is kept, nor of its result."""
    no_cache: bool = False
    """No result is taken that was begun before."""
    max_age: int | None = None
    """Seconds; no older result is taken. None: any."""
    min_fresh: int = 0
    """Seconds for which a result that is taken must still be kept."""
    only_if_cached: bool = False
    """Nothing is transcribed."""

    def takes(self, age: float, seconds_left: float) -> bool:
        """Whether a result is taken that was kept `age` seconds ago, and is for as many as are left."""
        is_young = self.max_age is None or age <= self.max_age
        return not self.no_cache and is_young and seconds_left >= self.min_fresh


NO_DIRECTIVES: Final = CacheDirectives()
