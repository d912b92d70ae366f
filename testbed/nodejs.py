"""The Node packages of a lock file, installed outside of the checkout by the lock's hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from testbed import debian
from testbed.locks import locked
from testbed.paths import CACHE


def ensure(directory: Path) -> Path:
    """The `node_modules` of `directory`'s package-lock.json; Node comes from Debian where the machine has none."""
    debian.ensure({"node": "nodejs", "npm": "npm"})
    lock = directory / "package-lock.json"
    target = CACHE / "node" / hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    with locked(CACHE / "node.lock"):
        if not (target / ".complete").exists():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for file in (directory / "package.json", lock):
                shutil.copy(file, target)
            command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
            subprocess.run(command, cwd=target, check=True)
            (target / ".complete").touch()
    return target / "node_modules"
