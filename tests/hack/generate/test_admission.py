"""The chart's admission policy is the operator's rules in CEL, and short enough for a busy API server to take."""

from __future__ import annotations

from typing import Any

import yaml

from hack.generate import admission

MOST_CHARACTERS = 115_000
"""Each thousand costs an API server 10 ms of a processor when the policy is installed, and again when it comes into
force; a request ends after 34 s, and beside thirty other processes it had a twentieth of a processor."""


def test_its_expressions_are_short() -> None:
    found: dict[str, Any] = yaml.safe_load(admission.content())
    every = [*found["variables"], *found["validations"]]
    assert (
        sum(len(one[of]) for one in every for of in ("expression", "messageExpression") if of in one) < MOST_CHARACTERS
    )
