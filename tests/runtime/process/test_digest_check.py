"""A cached file is compared with the digest that its name promises."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from whisper_runtime.process.digest_check import WrongFile, check_digest

PROMISED = hashlib.sha256(b"weights").hexdigest()


def outcomes(path: Path, promised: str | None = PROMISED) -> list[str]:
    """What is said once the file is read: its digest, or the message of what is wrong."""
    found: list[str] = []

    def note(error: WrongFile) -> None:
        found.append(str(error))

    check_digest(path, promised, found.append, note).join()
    return found


def test_the_promised_file_is_right(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"weights")
    assert outcomes(tmp_path / "a.pt") == [PROMISED]


def test_a_file_of_which_nothing_is_promised_is_right_and_its_digest_told(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"any")
    assert outcomes(tmp_path / "a.pt", None) == [hashlib.sha256(b"any").hexdigest()]


@pytest.mark.parametrize("content", [b"weightz", b"weight", b""], ids=["a changed byte", "a lost one", "empty"])
def test_another_file_is_named_with_both_digests_and_the_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    (message,) = outcomes(tmp_path / "a.pt")
    for part in (str(tmp_path / "a.pt"), hashlib.sha256(content).hexdigest(), PROMISED, "delete the file"):
        assert part in message


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    (message,) = outcomes(tmp_path / "a.pt")
    assert "cannot be read any more (No such file or directory): look after its volume" in message
