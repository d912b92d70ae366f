"""Who owns which fields of an object."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.objects.field_owners import (
    below,
    editors,
    item_below,
    ours,
    with_edited_labels_applied,
    without_our_edits,
)


def entry(manager: str, operation: str, fields: Any, **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


APPLIED = entry("whisper-operator", "Apply", {"f:spec": {}})
STATUS = entry("whisper-operator", "Apply", {"f:status": {}}, subresource="status")
EDITED = entry("kubectl-edit", "Update", {"f:spec": {"f:a": {}}})
SCALED = entry("kubectl", "Update", {"f:spec": {"f:replicas": {}}}, subresource="scale")
OWN_EDIT = entry("whisper-operator", "Update", {"f:metadata": {}})


def body(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries)}}


def test_our_applies_and_others_edits_of_the_object_itself_count() -> None:
    found = body(STATUS, EDITED, SCALED, APPLIED, entry("mesh", "Apply", {}))
    assert ours(found) == {"f:spec": {}}
    assert editors(found) == [{"f:spec": {"f:a": {}}}]
    assert ours(body(EDITED)) is None
    assert ours({"metadata": {}}) is None


def test_what_we_wrote_other_than_by_an_apply_is_left_out() -> None:
    assert without_our_edits(body(APPLIED, OWN_EDIT, EDITED)) == [APPLIED, EDITED]
    assert without_our_edits(body(APPLIED, EDITED)) is None


def labels(*names: str) -> dict[str, Any]:
    return {"f:metadata": {"f:labels": {name: {} for name in names}}}


def test_labels_that_we_put_back_count_as_applied() -> None:
    applied, edit = (entry("whisper-operator", operation, labels(".", operation)) for operation in ("Apply", "Update"))
    both = entry("whisper-operator", "Apply", labels("Apply", "Update"))
    assert with_edited_labels_applied(body(STATUS, applied, edit, EDITED)) == [STATUS, both, EDITED]
    first = entry("whisper-operator", "Apply", {"f:spec": {}, **labels("Update")})
    assert with_edited_labels_applied(body(APPLIED, edit)) == [first]
    assert with_edited_labels_applied(body(APPLIED, EDITED)) is None
    assert with_edited_labels_applied(body(edit)) is None


@pytest.mark.parametrize(
    ("fields", "name", "found"),
    [({"f:a": {"f:b": {}}}, "a", {"f:b": {}}), ({"f:a": {}}, "b", None), ({}, "b", {}), (None, "b", None)],
    ids=["part", "not owned", "owned as a whole", "nothing owned"],
)
def test_below_a_field(fields: Any, name: str, found: Any) -> None:
    assert below(fields, name) == found


def test_an_item_is_found_by_its_keys_and_their_defaults() -> None:
    fields = {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}}, ".": {}}
    assert item_below(fields, {"name": "http", "port": 80}) == {"f:port": {}}
    assert item_below(fields, {"port": 80, "protocol": "UDP"}) is None
    assert item_below({}, {"port": 80}) == {}
    assert item_below(None, {"port": 80}) is None
