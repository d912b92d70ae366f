"""python -m hack.lint.type_names: each type's name is defined once in the whole tree, so that grep finds its meaning.

A type is a class, an alias of a type at a module's top level (`Child = dict[str, Any]`), or a NewType, TypedDict or
NamedTuple made by a call. TypeVars are not: their names are local by convention.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from testbed.paths import REPOSITORY

FOLDERS: Final = ("operator", "plugin", "runtime", "testbed", "benchmarks", "chaos", "hack", "tests")
FACTORIES: Final = frozenset({"NewType", "TypedDict", "NamedTuple", "TypeAliasType"})
TYPE_NAME: Final = re.compile(r"_*[A-Z]\w*[a-z]\w*")
"""CamelCase; constants are written in capitals, so an assignment to such a name is an alias."""

Definitions = Mapping[str, list[str]]
"""Places of its definitions, as `file:line`, by the type's name."""


def main() -> None:
    if clashes := defined_twice(definitions(REPOSITORY)):
        sys.exit("\n".join(_report(clashes)))


def defined_twice(found: Definitions) -> Definitions:
    return {name: places for name, places in sorted(found.items()) if len(places) > 1}


def definitions(root: Path, folders: Iterable[str] = FOLDERS) -> Definitions:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            for name, line in types_in(file.read_text()):
                found[name].append(f"{file.relative_to(root)}:{line}")
    return found


def types_in(source: str) -> Iterator[tuple[str, int]]:
    """Name and line of each type that a module defines; raises SyntaxError."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            yield node.name, node.lineno
    for statement in module.body:
        if name := _alias(statement):
            yield name, statement.lineno


def _alias(statement: ast.stmt) -> str | None:
    """The alias's name; None for every other statement."""
    match statement:
        case ast.AnnAssign(target=ast.Name(name), annotation=annotation) if _last_name(annotation) == "TypeAlias":
            return name
        case ast.Assign(targets=[ast.Name(name)], value=value) if TYPE_NAME.fullmatch(name) and _is_type(value):
            return name
        case _:
            return None


def _is_type(value: ast.expr) -> bool:
    match value:
        case ast.Subscript() | ast.BinOp(op=ast.BitOr()):
            return True
        case ast.Call(func=factory):
            return _last_name(factory) in FACTORIES
        case _:
            return False


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _report(clashes: Definitions) -> Iterator[str]:
    yield "Types whose names are defined more than once; rename all but one, or import it:"
    for name, places in clashes.items():
        yield f"  {name}: {', '.join(places)}"


if __name__ == "__main__":
    main()
