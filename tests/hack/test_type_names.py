"""The check that each type's name is defined once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.lint.type_names import defined_twice, definitions, types_in


@pytest.mark.parametrize(
    "source",
    [
        "class Child: pass",
        "class Child(Protocol): pass",
        "class Child(TypedDict): pass",
        "def function():\n    class Child: pass",
        "class Outer1:\n    class Child: pass",
        "Child = dict[str, Any]",
        "Child = Callable[[int], None]",
        "Child = typing.Callable[[int], None]",
        "Child = int | None",
        "Child: TypeAlias = str",
        "Child: typing.TypeAlias = str",
        "Child = NewType('Child', str)",
        "Child = typing.NamedTuple('Child', [('a', int)])",
    ],
)
def test_what_defines_a_type(source: str) -> None:
    assert "Child" in {name for name, _ in types_in(source)}


@pytest.mark.parametrize(
    "source",
    [
        "from elsewhere import Child",
        "T = TypeVar('T')",
        "Child = TypeVar('Child')",
        "CHILD = TABLE['a']",
        "CHILD = FIRST | SECOND",
        "Child = child()",
        "child = dict[str, int]",
        "def function():\n    Child = dict[str, int]",
    ],
)
def test_what_defines_none(source: str) -> None:
    assert list(types_in(source)) == []


def test_a_clash_names_every_file_and_line(tmp_path: Path) -> None:
    for folder, source in (("one", "class Child: pass\nclass Other: pass\n"), ("two", "\nChild = dict[str, int]\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "module.py").write_text(source)
    clashes = defined_twice(definitions(tmp_path, ("one", "two")))
    assert clashes == {"Child": ["one/module.py:1", "two/module.py:2"]}
