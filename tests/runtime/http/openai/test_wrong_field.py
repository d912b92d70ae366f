"""A finding of pydantic's names the field, the value and what it should be."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_runtime.http.openai.wrong_field import wrong_field

LISTED = "GET /openapi.json lists the known ones."


@pytest.mark.parametrize(
    ("finding", "code", "param", "message"),
    [
        (
            {"type": "missing", "loc": ("body", "model"), "input": {}, "msg": "Field required"},
            *("missing_required_parameter", "model", "`model` is missing: send it as a field of the form."),
        ),
        (
            {"type": "x", "loc": ("body", "include[]", 0), "input": "a" * 200, "msg": "Should be b"},
            *("invalid_value", "include[]", f"`include[]` is '{'a' * 99}…: should be b."),
        ),
        (
            {"type": "extra_forbidden", "loc": ("body", "a" * 200), "input": 1, "msg": ""},
            *(
                "unknown_parameter",
                "a" * 100,
                f"Unknown parameter: `{'a' * 100}`. {LISTED}",
            ),
        ),
        (
            {"type": "x", "loc": ("body",), "input": [], "msg": "Should be an object"},
            *("invalid_value", "body", "`body` is []: should be an object."),
        ),
    ],
)
def test_a_wrong_field_is_named(finding: dict[str, Any], code: str, param: str, message: str) -> None:
    error = wrong_field(finding, at=1)
    assert (error.status_code, error.body["code"], error.body["param"]) == (400, code, param)
    assert error.body["message"] == message


def test_the_field_stands_where_its_reader_says() -> None:
    finding = {"type": "missing", "loc": ("model",), "input": {}, "msg": ""}
    assert wrong_field(finding, at=0).body["param"] == "model"
