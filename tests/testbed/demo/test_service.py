"""What the demo prints of a service is the words and how fast they came; its steps are those of the plan."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from testbed.demo.service import PLAN, DemoService, name_in, steps, words


def kubectl(*arguments: str) -> tuple[str, ...]:
    return ("kubectl", "-n", "demo", *arguments)


SERVICE = DemoService(kubectl, Path("a.yaml"), "words", 7, lambda: nullcontext(""), Path("a.wav"), kubectl("logs"))


def test_the_steps_are_those_of_the_plan() -> None:
    found = steps(SERVICE)
    assert tuple(step.name for step in found) == PLAN
    assert found[-1].command == kubectl("wait", "--for=condition=Ready", "wsvc/words", "--timeout=7s")
    assert kubectl("logs") in found[-1].evidence


def test_the_words() -> None:
    text = words({"text": " And so", "duration": 11.0}, 2.0)
    assert "\n    And so\n" in text
    assert "11 s of speech in 2.0 s: 5.5 x real time" in text


def test_the_name_of_a_manifest() -> None:
    assert name_in('{"metadata": {"name": "words"}}') == "words"
