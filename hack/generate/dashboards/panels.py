"""Grafana dashboards as rows of panels, without the fields that are equal in all of them.

The JSON model: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

PanelJson = dict[str, Any]

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS: Final = 24
STAT_HEIGHT: Final = 4
GRAPH_HEIGHT: Final = 8
SCHEMA_VERSION: Final = 39
"""Schema of Grafana 11; later versions convert it when they load a dashboard."""


@dataclass(frozen=True)
class Stat:
    """One number; `steps` has the colour from each value upwards."""

    title: str
    expression: str
    description: str
    steps: Mapping[float, str]
    unit: str = "short"
    below: str = "green"
    """Colour below the first step."""

    def as_json(self) -> PanelJson:
        steps = [
            {"value": None, "color": self.below},
            *({"value": at, "color": colour} for at, colour in self.steps.items()),
        ]
        return {
            "type": "stat",
            "options": {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}},
            "fieldConfig": {"defaults": {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}},
            "targets": [_target(self.expression, "")],
        }


@dataclass(frozen=True)
class Graph:
    """Lines over time; `queries` has the expression by legend."""

    title: str
    queries: Mapping[str, str]
    description: str
    unit: str = "short"

    def as_json(self) -> PanelJson:
        return {
            "type": "timeseries",
            "options": {"tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"displayMode": "list"}},
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0, "custom": {"fillOpacity": 10}}},
            "targets": [
                _target(expression, legend, chr(ord("A") + index))
                for index, (legend, expression) in enumerate(self.queries.items())
            ],
        }


@dataclass(frozen=True)
class TablePanel:
    """The labels of the series that exist now."""

    title: str
    expression: str
    description: str
    columns: Sequence[str]

    def as_json(self) -> PanelJson:
        keep = {"id": "filterFieldsByName", "options": {"include": {"names": list(self.columns)}}}
        return {
            "type": "table",
            "transformations": [keep],
            "targets": [_target(self.expression, "") | {"instant": True, "range": False, "format": "table"}],
        }


Panel = Stat | Graph | TablePanel


@dataclass(frozen=True)
class Variable:
    """Selection of a label's value; if `regex` is set, its first group is the value."""

    name: str
    label: str
    query: str
    regex: str = ""

    def as_json(self) -> PanelJson:
        return {
            "type": "query",
            "name": self.name,
            "label": self.label,
            "datasource": DATASOURCE,
            "query": {"query": self.query, "refId": self.name},
            "regex": self.regex,
            "refresh": 2,
            "sort": 1,
        }


@dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    variables: Sequence[Variable]
    rows: Mapping[str, Sequence[Panel]]
    """Panels of a row, from left to right, by the row's title."""
    alerts: str
    """Expression of the alerts that every graph marks."""


def as_json(dashboard: Dashboard) -> str:
    """Content of the file that Grafana imports."""
    datasource = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}
    alerts = {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": dashboard.alerts,
        "titleFormat": "{{alertname}}",
    }
    found = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["whisper"],
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "graphTooltip": 1,
        "templating": {"list": [datasource, *(variable.as_json() for variable in dashboard.variables)]},
        "annotations": {"list": [alerts]},
        "panels": list(_placed(dashboard.rows)),
    }
    return json.dumps(found, indent=1) + "\n"


def _placed(rows: Mapping[str, Sequence[Panel]]) -> Iterator[PanelJson]:
    """Each row's title, followed by its panels, with their positions and ids."""
    numbers, y = itertools.count(1), 0
    for title, panels in rows.items():
        yield {"id": next(numbers), "type": "row", "title": title, "gridPos": _place(0, y, COLUMNS, 1)}
        height = STAT_HEIGHT if all(isinstance(panel, Stat) for panel in panels) else GRAPH_HEIGHT
        width = COLUMNS // len(panels)
        for index, panel in enumerate(panels):
            shared = {"id": next(numbers), "title": panel.title, "description": panel.description}
            place = {"gridPos": _place(index * width, y + 1, width, height), "datasource": DATASOURCE}
            yield shared | place | panel.as_json()
        y += 1 + height


def _place(x: int, y: int, width: int, height: int) -> PanelJson:
    return {"x": x, "y": y, "w": width, "h": height}


def _target(expression: str, legend: str, ref: str = "A") -> PanelJson:
    return {"refId": ref, "datasource": DATASOURCE, "expr": expression, "legendFormat": legend}
