"""Each client that is tried is pinned, with hashes, and its page is the one of these pins."""

from __future__ import annotations

import pytest

from testbed.clients.catalogue import CLIENTS, PublicClient
from testbed.clients.environments import PROGRAMS
from testbed.clients.judge import AGAIN, ANSWERS, REFUSALS, Verdict
from testbed.clients.table import Tried, name, page
from testbed.clients.versions import version
from testbed.paths import REPOSITORY

LOCKS = {
    "python": ("requirements.txt", "--hash=sha256:"),
    "node": ("package-lock.json", '"integrity": "sha512-'),
    "go": ("go.sum", " h1:"),
    "java": ("jars.sha256", "  jars/"),
    "rust": ("Cargo.lock", 'checksum = "'),
}
"""The file with hashes by language, and how a hash begins."""
PAGE = (REPOSITORY / "docs/reference/clients.md").read_text()

of_each = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: f"{client.folder}-{client.program}")


@of_each
def test_a_client_is_locked_by_hash(client: PublicClient) -> None:
    lock, hashed = LOCKS[client.language]
    assert hashed in (PROGRAMS / client.folder / lock).read_text()


@of_each
def test_the_page_has_the_version_that_is_pinned(client: PublicClient) -> None:
    pinned = version(client.language, client.package, PROGRAMS / client.folder)
    assert f"| {name(client)} | {pinned} |" in PAGE


@of_each
def test_what_a_client_lacks_is_a_task(client: PublicClient) -> None:
    assert client.lacks.keys() <= set(ANSWERS) - {"json"}


def test_the_page_has_a_row_for_each_client_and_a_note_for_what_it_lacks() -> None:
    client = PublicClient("groq", "python/groq", "client.py", {"srt": "has none", "stream": "has none"}, notes=("Odd",))
    cells = dict.fromkeys((*ANSWERS, AGAIN, *REFUSALS), Verdict("1"))
    found = page([Tried(client, "1.2.3", cells)])
    assert f"| Python: groq | 1.2.3 |{' 1 |' * len(cells)}\n" in found
    assert "- Python: groq: has none (srt, stream). Odd.\n" in found


def test_one_package_has_a_row_for_each_way_that_is_tried() -> None:
    ways = [name(PublicClient("openai", "python/openai", "client.py", way=way)) for way in ("", "async")]
    assert ways == ["Python: openai", "Python: openai (async)"]
    assert len({name(client) for client in CLIENTS}) == len(CLIENTS)


def test_a_package_that_is_not_pinned_is_an_error() -> None:
    with pytest.raises(LookupError, match="pins no version of django"):
        version("python", "django", PROGRAMS / "python/groq")
