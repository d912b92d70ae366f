"""What mkdocs calls while it builds the site: https://www.mkdocs.org/dev-guide/plugins/#events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hack.site.lists import widened
from hack.site.navigation import navigation
from hack.site.outside import led_outside


def on_config(config: Any) -> Any:
    docs = Path(config.docs_dir)
    pages = sorted(page.relative_to(docs).as_posix() for page in docs.rglob("*.md"))
    config.nav = navigation((docs / "README.md").read_text(), pages)
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    return widened(led_outside(markdown, page.file.src_uri))
