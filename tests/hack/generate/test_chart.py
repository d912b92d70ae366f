"""The chart's schema and README follow from values.yaml and its comments."""

from __future__ import annotations

import json

from hack.generate import chart

VALUES = """\
image:
  # -- Tag of the image.
  tag: ""
# -- Replicas of the operator.
replicas: 2
# -- Group of the files.
fsGroup: 65532
# -- Resources of the container.
resources:
  requests: {cpu: 50m}
"""


def test_a_comment_belongs_to_the_path_of_the_value_below_it() -> None:
    assert dict(chart.comments(VALUES)) == {
        "image.tag": "Tag of the image.",
        "replicas": "Replicas of the operator.",
        "fsGroup": "Group of the files.",
        "resources": "Resources of the container.",
    }


def test_unknown_keys_are_refused_except_in_open_objects() -> None:
    schema = json.loads(chart.schema(VALUES))
    assert schema["additionalProperties"] is False
    assert schema["properties"]["image"]["additionalProperties"] is False
    assert "additionalProperties" not in schema["properties"]["resources"]


def test_a_value_has_the_type_of_its_default_and_may_be_null_where_that_is_meant() -> None:
    properties = json.loads(chart.schema(VALUES))["properties"]
    assert properties["replicas"] == {"description": "Replicas of the operator.", "type": "integer"}
    assert properties["fsGroup"]["type"] == ["integer", "string", "null"]


def test_the_readme_has_a_row_for_each_described_value() -> None:
    rows = [line for line in chart.readme(VALUES).splitlines() if line.startswith("| `")]
    assert rows[0] == '| `image.tag` | string | `""` | Tag of the image. |'
    assert rows[2] == "| `fsGroup` | integer, string, null | `65532` | Group of the files. |"
    assert [row.split("`")[1] for row in rows] == ["image.tag", "replicas", "fsGroup", "resources"]
