"""The site as it is built: every link in it leads somewhere, and no page asks another server for anything."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from testbed.paths import REPOSITORY
from tests.support.browser import fresh_page, running_browser

pytestmark = pytest.mark.slow

LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
"""Attribute by which each element has a browser load something at once."""


@dataclass
class SitePage(HTMLParser):
    """What one page of the site has of anchors, links, and things to load."""

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value is not None}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.add(found["href"])
        if tag in LOADED and LOADED[tag] in found:
            self.loaded.add(found[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make site` does, which fails at the first warning."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        ("make", "--no-print-directory", "site", f"SITE={folder}"),
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, SitePage]:
    """Each page but that of a wrong address, whose links are absolute."""
    found: dict[Path, SitePage] = {}
    for file in site.rglob("*.html"):
        if file.name != "404.html":
            found[file] = SitePage()
            found[file].feed(file.read_text())
    return found


def target(page: Path, link: str) -> Path:
    """The file that a relative link of `page` opens."""
    path = unquote(urlsplit(link).path)
    file = (page.parent / path).resolve() if path else page
    return file / "index.html" if file.is_dir() else file


def test_every_document_is_a_page(site: Path) -> None:
    documents = [file.relative_to(REPOSITORY / "docs") for file in (REPOSITORY / "docs").rglob("*.md")]
    wanted = [one.parent if one.name == "README.md" else one.with_suffix("") for one in documents]
    assert [str(one) for one in wanted if not (site / one / "index.html").exists()] == []


def test_every_link_leads_to_a_page_and_to_an_anchor_of_it(pages: dict[Path, SitePage], site: Path) -> None:
    dead: list[str] = []
    for page, parsed in pages.items():
        for link in parsed.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            file = target(page, link)
            if not file.exists() or (parts.fragment and unquote(parts.fragment) not in pages[file].ids):
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


def test_the_navigation_leads_from_each_page_to_each_other(pages: dict[Path, SitePage]) -> None:
    home = min(pages, key=lambda page: len(page.parts))
    reached = {target(home, link) for link in pages[home].links if not urlsplit(link).scheme}
    assert pages.keys() - reached - {home} == set()


def test_a_page_loads_nothing_from_another_server(pages: dict[Path, SitePage]) -> None:
    elsewhere = {link for parsed in pages.values() for link in parsed.loaded if urlsplit(link).netloc}
    assert elsewhere == set()
    assert not [page for page in pages if re.search(r'class="mermaid"|data-md-component="source"', page.read_text())], (
        "the theme would load a library, or ask GitHub"
    )


def test_what_a_page_loads_is_there(pages: dict[Path, SitePage], site: Path) -> None:
    missing = {
        (page.relative_to(site), link)
        for page, one in pages.items()
        for link in one.loaded
        if not target(page, link).exists()
    }
    assert missing == set()


def test_no_list_or_row_has_become_a_paragraph(pages: dict[Path, SitePage], site: Path) -> None:
    """Where GitHub sees a list, Python's Markdown wants an empty line before it."""
    wrong: list[Path] = []
    for page in pages:
        text = re.sub(r"<pre.*?</pre>", "", page.read_text(), flags=re.S)
        wrong += [
            page.relative_to(site)
            for one in re.findall(r"<p>.*?</p>", text, re.S)
            if re.search(r"\n(?:- |\d+\. |\| )", one)
        ]
    assert wrong == []


@pytest.fixture
def address(site: Path) -> Generator[str]:
    """Of a web server that has the site's files and nothing else."""
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests are no part of the tests' output."""


def test_a_browser_finds_pages_by_words_and_asks_no_other_server(address: str) -> None:
    asked: set[str] = set()
    with running_browser() as browser, fresh_page(browser) as page:
        page.on("request", lambda request: asked.add(request.url))
        page.goto(f"{address}/tutorial/")
        page.keyboard.press("/")
        page.locator("input.md-search__input").press_sequentially("runbook")
        expect(page.locator(".md-search-result__item").first).to_be_visible()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert [url for url in asked if url.endswith("search_index.json")]
