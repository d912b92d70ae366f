"""Certificates for servers of tests."""

from __future__ import annotations

import subprocess
from pathlib import Path


def self_signed(directory: Path, names: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """Certificate and key of a server of these subjectAltNames, as files; no authority's, which rustls takes from no
    server."""
    certificate, key = directory / "ca.crt", directory / "tls.key"
    extensions = ("-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE")
    subject = ("-subj", "/CN=mirror", *extensions, "-days", "1", "-nodes")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files), check=True, capture_output=True
    )
    return certificate, key


def expired(directory: Path) -> tuple[Path, Path]:
    """As `self_signed`, of yesterday."""
    certificate, key = self_signed(directory)
    again = ("openssl", "x509", "-in", str(certificate), "-signkey", str(key), "-days", "-1", "-out", str(certificate))
    subprocess.run(again, check=True, capture_output=True)
    return certificate, key
