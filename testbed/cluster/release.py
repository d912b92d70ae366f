"""A binary from its project's own release, checked by the checksum published beside it."""

from __future__ import annotations

import hashlib
import socket
import sys
import tarfile
import tempfile
import urllib.request
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from testbed.cluster.tools import ReleaseAsset

CONNECT_SECONDS = 3
READ_SECONDS = 60


@cache
def is_reachable(host: str, port: int) -> bool:
    """Whether a connection succeeds within seconds; asked once for each host."""
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def download(release: ReleaseAsset, destination: Path) -> bool:
    """Puts the binary at `destination`; False where the release cannot be reached. Raises SystemExit on a wrong sum."""
    address = urlsplit(release.url)
    if not is_reachable(address.hostname or "", address.port or (443 if address.scheme == "https" else 80)):
        return False
    print(f"binaries: downloading {release.url}", file=sys.stderr, flush=True)
    try:
        with tempfile.NamedTemporaryFile(dir=destination.parent) as file:
            with urllib.request.urlopen(release.url, timeout=READ_SECONDS) as response:
                digest = _copy(response, file)
            with urllib.request.urlopen(release.checksum_url, timeout=READ_SECONDS) as response:
                published = response.read(1 << 20).decode()
            if digest not in published:
                raise SystemExit(f"{release.url} has sha256 {digest}, which {release.checksum_url} does not name")
            _place(Path(file.name), release.member, destination)
    except OSError as error:
        print(f"binaries: {release.url}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := source.read(1 << 20):
        digest.update(block)
        target.write(block)
    target.flush()
    return digest.hexdigest()


def _place(file: Path, member: str | None, destination: Path) -> None:
    if member is None:
        destination.write_bytes(file.read_bytes())
    else:
        with tarfile.open(file) as archive:
            found = archive.extractfile(member)
            if found is None:
                raise SystemExit(f"{member} is not in the release's archive")
            destination.write_bytes(found.read())
    destination.chmod(0o755)
