"""Every alert has its page, every page its alert, and what a page tells one to look at exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.operator.samples import service
from tests.support.promql import unknown
from whisper_operator.build.prometheus_rule import RUNBOOKS, rules

ROOT = Path(__file__).resolve().parents[1]
DIRECTORY = ROOT / "docs/runbooks"
PAGES = sorted(page for page in DIRECTORY.glob("*.md") if page.name != "README.md")
TEMPLATE = (ROOT / "charts/whisper-operator/templates/alerts.yaml").read_text()
SECTIONS = ["**Meaning.**", "**Impact.**", "## Diagnosis", "## Mitigation"]

WHOLE = {"jobs": {}, "front": {}, "redis": {"secretKeyRef": {"name": "store", "key": "url"}}}
"""A spec whose service has every alert."""

of_each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def links() -> dict[str, str]:
    """The file that each alert's runbook_url names, by the alert, as a path in this repository."""
    of_service = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in rules(service(**WHOLE))}
    alerts = re.findall(r"- alert: (\w+)", TEMPLATE)
    urls = re.findall(r"runbook_url: \{\{ \$runbooks \}\}(\S+)", TEMPLATE)
    found = of_service | {alert: RUNBOOKS + url for alert, url in zip(alerts, urls, strict=True)}
    return {alert: url.partition("/blob/main/")[2] for alert, url in found.items()}


def test_every_link_leads_to_the_page_of_its_alert() -> None:
    for alert, path in links().items():
        assert (ROOT / path).is_file(), path
        assert (ROOT / path).read_text().startswith(f"# {alert}\n")


def test_no_page_is_orphaned() -> None:
    assert {f"docs/runbooks/{page.name}" for page in PAGES} == set(links().values())


def test_the_index_lists_every_page() -> None:
    listed = re.findall(r"^- \[(\w+)\]\((\S+)\)", (DIRECTORY / "README.md").read_text(), re.M)
    assert sorted(listed) == [(page.stem, page.name) for page in PAGES]


@of_each
def test_a_page_says_what_it_means_whom_it_hurts_why_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    places = [text.find(section) for section in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)
    assert "    kubectl" in text or "```promql" in text


@of_each
def test_its_queries_read_what_is_exported(page: Path) -> None:
    for query in re.findall(r"```promql\n(.*?)```", page.read_text(), re.S):
        assert unknown(query) == []


@of_each
def test_its_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (DIRECTORY / target).is_file(), target


def test_alerts_read_what_is_exported() -> None:
    assert [missing for rule in rules(service(**WHOLE)) for missing in unknown(rule["expr"])] == []
