"""Real weights and real speech, fetched once and pinned by hash."""

from __future__ import annotations

from typing import Final

CHECKPOINTS: Final = {
    "base": "4a31734c71791a420407426b03296f2afe6b87c42f098ff32c2fa86b0efba135",
    "tiny.en": "d11e3e94e2344a6522545b7447a4867f182d06c6abd464e24b7348b1ea324cc6",
}
"""sha256 of each converted checkpoint."""
