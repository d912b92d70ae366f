"""Checksums of a release and their signature, as docs/how-to/verify.md has sha256sum and openssl check them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Final

CHECKSUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
PUBLIC_KEY: Final = "whisper-operator.pub"
CURVE: Final = "prime256v1"


class UnusableKey(ValueError):
    """The key cannot sign; the message says how one is made."""


def check(key: Path) -> None:
    """Raises UnusableKey where `key` is no private key on the curve P-256 in PEM."""
    shown = _openssl("pkey", "-in", str(key), "-noout", "-text")
    if shown.returncode or CURVE not in shown.stdout or "Private-Key" not in shown.stdout:
        command = f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {key}"
        raise UnusableKey(f"{key} is no private key on P-256, as this makes one: {command}")


def sign(folder: Path, key: Path) -> None:
    """Writes CHECKSUMS of all files of `folder`, its SIGNATURE, and the PUBLIC_KEY of `key`. Raises UnusableKey."""
    check(key)
    files = sorted(file for file in folder.iterdir() if file.name not in (CHECKSUMS, SIGNATURE, PUBLIC_KEY))
    checksums = folder / CHECKSUMS
    checksums.write_text("".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files))
    _openssl("pkey", "-in", str(key), "-pubout", "-out", str(folder / PUBLIC_KEY)).check_returncode()
    signed = ("dgst", "-sha256", "-sign", str(key), "-out", str(folder / SIGNATURE), str(checksums))
    _openssl(*signed).check_returncode()


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(("openssl", *arguments), capture_output=True, text=True, check=False)
