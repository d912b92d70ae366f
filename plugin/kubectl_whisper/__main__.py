"""python -m kubectl_whisper: the plugin without an installed script."""

from __future__ import annotations

from kubectl_whisper.cli import main

if __name__ == "__main__":
    main()
