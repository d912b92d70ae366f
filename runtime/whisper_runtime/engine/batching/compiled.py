"""Where the image's build has put the compiled functions of time_warping.py: numba reads them there and writes nothing.

Dockerfile.runtime sets the variables by which numba finds the class and the folder, and compiles for any processor: the
image is built on one node and runs on another. https://numba.readthedocs.io/en/stable/reference/envvars.html
"""

from __future__ import annotations

from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator


class CompiledInImage(UserProvidedCacheLocator):
    """NUMBA_CACHE_DIR, read only; numba goes on to the next class of its list where the folder is not there."""

    def ensure_cache_path(self) -> None:
        """Raises FileNotFoundError. Numba's own tries to write, and takes no folder of a read-only file system."""
        if not Path(self.get_cache_path()).is_dir():
            raise FileNotFoundError(self.get_cache_path())
