"""What the dashboards show is exported, and what they ask for is used."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.promql import SCRAPED, selectors, unknown

FILES = sorted((Path(__file__).resolve().parents[1] / "charts/whisper-operator/dashboards").glob("*.json"))
BUILT_IN = {"__rate_interval", "datasource"}

of_each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def load(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


def expressions(dashboard: dict[str, Any]) -> list[str]:
    """Every query of every panel, and of the marks."""
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [*panels, *(mark["expr"] for mark in dashboard["annotations"]["list"])]


def test_there_is_one_of_a_service_and_one_of_the_operator() -> None:
    assert [(load(file)["title"], load(file)["uid"]) for file in FILES] == [
        ("Whisper / operator", "whisper-operator"),
        ("Whisper / service", "whisper-service"),
    ]


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ("up", {("up", frozenset[str]())}),
        (
            'sum by (le) (rate(a_bucket{x="y",z=~"b{2}"}[$__rate_interval])) or vector(0)',
            {("a_bucket", frozenset({"x", "z"}))},
        ),
        ("a / on (pod) group_left (name) b{} > 0.5", {("a", frozenset[str]()), ("b", frozenset[str]())}),
    ],
)
def test_what_an_expression_reads(expression: str, read: set[tuple[str, frozenset[str]]]) -> None:
    assert set(selectors(expression)) == read


def test_what_nobody_exports_is_found() -> None:
    assert unknown('whisper_ready{service="a"} + whisper_redy') == ["whisper_redy{}"]
    assert unknown('whisper_requests_total{code="200"}') == ["whisper_requests_total{code}"]


@of_each
def test_every_query_reads_what_is_exported(file: Path) -> None:
    found = expressions(load(file))
    assert len(found) > 15
    assert [missing for expression in found for missing in unknown(expression)] == []


@of_each
def test_every_variable_is_used_and_every_name_used_is_a_variable(file: Path) -> None:
    dashboard = load(file)
    variables = {one["name"]: one["query"] for one in dashboard["templating"]["list"]}
    queries = [query["query"] for name, query in variables.items() if name != "datasource"]
    used = set(re.findall(r"\$\{?(\w+)", " ".join([*expressions(dashboard), *queries])))
    assert used - BUILT_IN == set(variables) - BUILT_IN
    for query in queries:
        series, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
        assert unknown(series) == []
        assert label in SCRAPED


@of_each
def test_panels_have_a_place_and_a_number_of_their_own_and_say_what_they_show(file: Path) -> None:
    panels = load(file)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + column, place["y"] + line) for column in range(place["w"]) for line in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"]
