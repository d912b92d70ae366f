"""What Prometheus makes of rules: promtool parses them, and runs them over series that a test writes down.

Series are in promtool's notation, a sample a minute: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from testbed.cluster import binaries


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(binaries.ensure("promtool") / "promtool")
    return subprocess.run((program, *arguments), capture_output=True, text=True, check=False)


def check(rules: list[dict[str, Any]], directory: Path) -> None:
    """Fails unless every expression and every template of `rules` parses."""
    done = promtool("check", "rules", str(_write(rules, directory)))
    assert done.returncode == 0, done.stdout + done.stderr


def assert_fires(
    rules: list[dict[str, Any]], series: Mapping[str, str], minutes: int, alerts: set[str], directory: Path
) -> None:
    """Fails unless, so many minutes after the start of `series`, exactly `alerts` are firing."""
    firing = {
        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minutes}m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(alerts)],
    }
    _test([_write(rules, directory).name], series, firing, directory)


def assert_values(expression: str, series: Mapping[str, str], values: Mapping[str, float], directory: Path) -> None:
    """Fails unless `expression`, a minute after the start of `series`, has exactly these values, by their labels."""
    samples = [{"labels": labels, "value": value} for labels, value in values.items()]
    _test([], series, {"expr": expression, "eval_time": "1m", "exp_samples": samples}, directory)


def _test(rules: list[str], series: Mapping[str, str], expected: dict[str, Any], directory: Path) -> None:
    """`rules`: names of files in the directory."""
    test = {
        "rule_files": rules,
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [expected],
            }
        ],
    }
    file = directory / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def _write(rules: list[dict[str, Any]], directory: Path) -> Path:
    file = directory / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "tested", "rules": rules}]}))
    return file
