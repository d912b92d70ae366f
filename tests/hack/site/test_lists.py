"""What belongs to an item of a list still does where Python's Markdown reads it."""

from __future__ import annotations

import pytest

from hack.site.lists import widened


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("1. One,\n   and more.\n", "1. One,\n    and more.\n"),
        ("1. Type:\n\n       make\n\n   Then:\n2. Two\n", "1. Type:\n\n        make\n\n    Then:\n\n2. Two\n"),
        ("- One\n  - inner\n", "- One\n    - inner\n"),
        ("- One\n\nText\n\n    code\n", "- One\n\nText\n\n    code\n"),
        ("10. Ten\n\n    text\n", "10. Ten\n\n    text\n"),
        ("- One\n\n  ```yaml\n  - a: 1\n  ```\n", "- One\n\n    ```yaml\n    - a: 1\n    ```\n"),
        ("```yaml\n- a\n  b: 1\n```\n\n  text\n", "```yaml\n- a\n  b: 1\n```\n\n  text\n"),
        ("Text\n  wrapped\n", "Text\n  wrapped\n"),
    ],
)
def test_lines_of_an_item_are_indented_by_four(markdown: str, wanted: str) -> None:
    assert widened(markdown) == wanted
