"""The reference of conditions: a row for each type and each reason."""

from __future__ import annotations

from hack.generate.conditions_reference import markdown
from whisper_operator.api.registry import ConditionReason, ConditionType

TYPES = [ConditionType("Ready", "It serves.", False), ConditionType("Available", "Pods are available.", True)]
REASONS = [
    ConditionReason("Unschedulable", ("Available", "ModelCached"), "No node fits.", "Add a node.", False),
    ConditionReason("InvalidSpec", ("Ready",), "A rule is violated.", "Correct it.", True),
]


def test_a_type_tells_whether_it_blocks_ready() -> None:
    written = markdown(TYPES, REASONS)
    assert "| `Ready` |  | It serves. |\n| `Available` | yes | Pods are available. |\n" in written


def test_reasons_are_sorted_by_name_and_name_their_types_and_remedy() -> None:
    written = markdown(TYPES, REASONS)
    assert written.endswith(
        "| `InvalidSpec` | `Ready` | yes | A rule is violated. | Correct it. |\n"
        "| `Unschedulable` | `Available`, `ModelCached` |  | No node fits. | Add a node. |\n"
    )
