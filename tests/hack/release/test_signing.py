"""What a release signs, users check by the commands of docs/how-to/verify.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hack.release import signing
from testbed.paths import REPOSITORY

PAGE = REPOSITORY / "docs/how-to/verify.md"


def key_on(curve: str, folder: Path) -> Path:
    key = folder / f"{curve}.key"
    command = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", str(key))
    subprocess.run(command, check=True, capture_output=True)
    return key


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_on("P-256", tmp_path)


@pytest.fixture
def release(tmp_path: Path, key: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "whisper-operator-1.2.3.tgz").write_bytes(b"a chart")
    (folder / "images.txt").write_text("ghcr.io/…@sha256:…\n")
    signing.sign(folder, key)
    (folder / signing.PUBLIC_KEY).rename(tmp_path / signing.PUBLIC_KEY)  # users have it from elsewhere
    return folder


def verified(release: Path) -> bool:
    """Whether each command that the page has for the signature and the checksums succeeds."""
    commands = re.findall(r"^    ((?:openssl dgst|sha256sum) .*)$", PAGE.read_text(), re.M)
    assert len(commands) == 2
    script = "\n".join(commands).replace("~/whisper-operator.pub", str(release.parent / signing.PUBLIC_KEY))
    return subprocess.run(("sh", "-ec", script), cwd=release, capture_output=True, check=False).returncode == 0


def test_what_is_signed_verifies(release: Path) -> None:
    assert verified(release)


def test_a_release_can_be_signed_again(release: Path, key: Path) -> None:
    signing.sign(release, key)
    (release / signing.PUBLIC_KEY).unlink()
    assert verified(release)


@pytest.mark.parametrize("name", ["whisper-operator-1.2.3.tgz", "images.txt", signing.CHECKSUMS])
def test_a_changed_file_does_not_verify(release: Path, name: str) -> None:
    with (release / name).open("a") as file:
        file.write("\n")
    assert not verified(release)


def test_checksums_that_somebody_else_signed_do_not_verify(release: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    signing.sign(release, key_on("P-256", tmp_path / "other"))
    assert not verified(release)


def test_no_private_key_is_published(release: Path, key: Path) -> None:
    secret = key.read_text().splitlines()[1]
    assert all(secret not in file.read_text(errors="replace") for file in release.iterdir())


@pytest.mark.parametrize("kind", ["missing", "public", "P-384"])
def test_a_key_that_cannot_sign_is_refused_with_the_command_that_makes_one(
    kind: str, release: Path, tmp_path: Path
) -> None:
    key = {
        "missing": tmp_path / "missing.key",
        "public": tmp_path / signing.PUBLIC_KEY,
        "P-384": key_on("P-384", tmp_path),
    }[kind]
    with pytest.raises(signing.UnusableKey, match=r"openssl genpkey .*P-256"):
        signing.sign(release, key)
