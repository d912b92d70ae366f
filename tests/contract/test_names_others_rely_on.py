"""Every name that dashboards, alerts, manifests, log pipelines and scripts rely on is the one in names.yaml."""

from __future__ import annotations

import io
import json
import logging
import re
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from hack.generate.metrics_reference import Exported, front_metrics, operator_metrics, runtime_metrics
from whisper_operator.api.conditions import CONDITION_TYPES, REASONS
from whisper_operator.process.settings import PREFIX, Settings
from whisper_operator.reconcile import worker
from whisper_operator.reconcile.queue import Queue
from whisper_operator.telemetry import logs as operator_logs
from whisper_runtime import logs as runtime_logs
from whisper_runtime.contract import reports
from whisper_runtime.contract.config import ENV_NAMES
from whisper_runtime.contract.network import METRICS_PATH
from whisper_runtime.fetch.progress import ProgressTracker
from whisper_runtime.fetch.progress_server import serve_progress

ROOT = Path(__file__).parents[2]
NAMES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "names.yaml").read_text())


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger without handlers; what pytest has set up is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield root
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)


def described(metrics: Iterable[Exported]) -> dict[str, str]:
    """Type and labels of each metric, as the list has them."""
    return {one.name: one.type + (f" by {', '.join(sorted(one.labels))}" if one.labels else "") for one in metrics}


def test_metrics_of_the_runtime() -> None:
    assert described(runtime_metrics()) == NAMES["runtime metrics"]


def test_metrics_of_the_front() -> None:
    assert described(front_metrics()) == NAMES["front metrics"]


def test_metrics_of_a_fetch() -> None:
    with serve_progress(ProgressTracker("base"), 0) as port:
        scraped = urllib.request.urlopen(f"http://127.0.0.1:{port}{METRICS_PATH}", timeout=60).read().decode()
    families = text_string_to_metric_families(scraped)
    assert {family.name: family.type for family in families} == NAMES["fetch metrics"]


def test_metrics_of_the_operator() -> None:
    assert described(operator_metrics()) == NAMES["operator metrics"]


def test_environment_variables() -> None:
    assert sorted(ENV_NAMES) == NAMES["runtime environment"]
    assert sorted(PREFIX + field.upper() for field in Settings.model_fields) == NAMES["operator environment"]


@pytest.mark.usefixtures("root_logger")
def test_keys_of_the_runtimes_log() -> None:
    stream = io.StringIO()
    runtime_logs.configure("info", "json", stream)
    tokens = runtime_logs.request_id.set("abc"), runtime_logs.trace_id.set("4bf92f3577b34da6a3ce929d0e0e4736")
    logging.getLogger("x").info("hello")
    runtime_logs.request_id.reset(tokens[0])
    runtime_logs.trace_id.reset(tokens[1])
    assert sorted(json.loads(stream.getvalue())) == NAMES["runtime log keys"]


@pytest.mark.usefixtures("root_logger")
async def test_keys_of_the_operators_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that fails by a bug has all of them."""
    monkeypatch.setattr("sys.excepthook", None)  # put back what `configure` sets
    stream = io.StringIO()
    operator_logs.configure("info", stream)

    async def fails(_: object) -> None:
        raise KeyError("spec")

    await worker.run(("team", "speech"), Queue(), fails)
    assert sorted(json.loads(stream.getvalue())) == NAMES["operator log keys"]


def test_make_targets() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert sorted(targets) == NAMES["make targets"]


def test_conditions_and_their_reasons() -> None:
    assert sorted(CONDITION_TYPES) == NAMES["condition types"]
    assert sorted(REASONS) == NAMES["condition reasons"]
    fetch_reasons = {value for name, value in vars(reports).items() if name.isupper() and isinstance(value, str)}
    assert sorted(fetch_reasons) == NAMES["fetch reasons"]
