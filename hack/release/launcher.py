#!/usr/bin/env python3
"""kubectl-whisper, in a folder that has its libraries beside it; krew links to it from its own folder of programs."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
COMPILED = os.path.join(HERE, f"python{sys.version_info[0]}.{sys.version_info[1]}")

if not os.path.isdir(COMPILED):
    known = ", ".join(sorted(name for name in os.listdir(HERE) if name.startswith("python")))
    sys.exit(
        f"kubectl whisper needs one of {known} as python3 on the PATH; {sys.executable} is {sys.version.split()[0]}"
    )
sys.path[:0] = [COMPILED, os.path.join(HERE, "lib")]

from kubectl_whisper.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
