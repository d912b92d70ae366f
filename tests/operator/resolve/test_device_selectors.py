"""What is understood of a CEL expression decides over a device; what is not, counts as true."""

from __future__ import annotations

import pytest

from tests.support.devices import DRIVER, WHOLE_GPU, gpu, slice_body, slices
from whisper_operator.resolve.device_selectors import may_select

ATTRIBUTES = {
    "type": {"string": "gpu"},
    "index": {"int": 3},
    "healthy": {"bool": True},
    "example.org/model": {"string": "A && B"},
}
[[DEVICE]] = [one.devices for one in slices(slice_body("node", gpu("a", attributes=ATTRIBUTES)))]
OURS, THEIRS = f"device.driver == '{DRIVER}'", "device.driver == 'other.example.com'"


@pytest.mark.parametrize(
    ("expression", "selects"),
    [
        (WHOLE_GPU, True),
        (WHOLE_GPU.replace("'", '"'), True),
        (WHOLE_GPU.replace("'gpu'", "'mig'"), False),
        (THEIRS, False),
        (f"{OURS} &&\n  {THEIRS}", False),
        (f'device.attributes["{DRIVER}"].index == 3', True),
        (f'device.attributes["{DRIVER}"].index == 4', False),
        (f'device.attributes["{DRIVER}"].healthy == true', True),
        (f'device.attributes["{DRIVER}"].healthy == false', False),
        (f'device.attributes["{DRIVER}"].absent == "x"', False),
        ("device.attributes['example.org'].model == 'A'", False),
    ],
)
def test_comparisons_with_constants_are_judged(expression: str, selects: bool) -> None:
    assert may_select((expression,), DEVICE) is selects


@pytest.mark.parametrize(
    "expression",
    [
        f"{THEIRS} || {OURS}",
        f"{THEIRS} && {THEIRS} || {OURS}",
        f"!({THEIRS} && {THEIRS})",
        f"[1].exists(i, {OURS} && {THEIRS} && i == 2)",
        f"{OURS} && device.capacity['{DRIVER}'].memory.isGreaterThan(quantity('40Gi'))",
        f"size(device.attributes['{DRIVER}']) > 0",
        "device.attributes['example.org'].model == 'A && B'",
        "true ? true : false",
        "",
    ],
)
def test_what_is_not_understood_counts_as_true(expression: str) -> None:
    assert may_select((expression,), DEVICE)


def test_all_expressions_have_to_be_true() -> None:
    assert may_select((), DEVICE)
    assert not may_select((OURS, THEIRS), DEVICE)
