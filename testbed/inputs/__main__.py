"""python -m testbed.inputs: fetches weights and recordings where they are missing."""

from __future__ import annotations

from testbed import debian
from testbed.inputs import recordings, weights

if __name__ == "__main__":
    debian.ensure({"ffmpeg": "ffmpeg", "espeak-ng": "espeak-ng", "sox": "sox"})
    print(*weights.ensure().values(), recordings.ensure(), sep="\n")
