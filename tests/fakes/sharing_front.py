"""python -m tests.fakes.sharing_front: a front to whose store it does not matter how long a reply takes.

A machine without a free processor must not look like a store that is away: a reply that is late by 50 ms sends the
requests of the next half second to a server, and whoever measures the front measures that.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from whisper_runtime.process.command import main
from whisper_runtime.service.shared import open as opening
from whisper_runtime.service.shared.shared_store import SharedStore

if __name__ == "__main__":
    vars(opening)["SharedStore"] = partial(SharedStore, waits=(30.0,), pauses=(0.05,))
    sys.exit(main(["front"], os.environ))
