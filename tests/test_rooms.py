"""Both packages in folders with a sentence of purpose each, and a test module at the mirrored path of each module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from testbed.paths import REPOSITORY

PACKAGES = {
    "operator": "operator/whisper_operator",
    "plugin": "plugin/kubectl_whisper",
    "runtime": "runtime/whisper_runtime",
}
"""Folder of each package, by the name of the folder of its tests."""
MOST_ENTRIES = 14

of_each_package = pytest.mark.parametrize(("tests", "package"), PACKAGES.items(), ids=PACKAGES)


def defines_code(module: Path) -> bool:
    """Whether the module defines a function or a class: constants and imports have nothing to be tested."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, definitions) for node in ast.parse(module.read_text()).body)


def path_of_tests(module: Path) -> Path:
    """Path of the module's tests for its path in the package; an __init__ is tested under its folder's name."""
    name = module.parent.name if module.stem == "__init__" else module.stem.strip("_")
    return module.parent / f"test_{name}.py"


@of_each_package
def test_each_module_with_code_has_its_tests_at_the_mirrored_path(tests: str, package: str) -> None:
    root = REPOSITORY / package
    modules = [file.relative_to(root) for file in sorted(root.rglob("*.py")) if defines_code(file)]
    wanted = [f"tests/{tests}/{path_of_tests(module)}" for module in modules]
    missing = [path for path in wanted if not (REPOSITORY / path).exists()]
    assert not missing, "\n".join(["these test modules are missing:", *missing])


@of_each_package
def test_each_folder_says_its_purpose_in_a_sentence(tests: str, package: str) -> None:
    folders = sorted({file.parent for file in (REPOSITORY / package).rglob("*.py")})
    without = [folder for folder in folders if not is_purpose(docstring(folder / "__init__.py"))]
    assert [str(folder.relative_to(REPOSITORY)) for folder in without] == []


def docstring(module: Path) -> str:
    return ast.get_docstring(ast.parse(module.read_text())) or "" if module.exists() else ""


def is_purpose(text: str) -> bool:
    """Whether the text is one sentence, and at most one more with the folder's rule, as "Pure."."""
    return text.endswith(".") and len(re.findall(r"[.!?]\s+[A-Z]", text)) <= 1


@of_each_package
def test_a_package_has_few_entries_at_its_top(tests: str, package: str) -> None:
    entries = {entry.name for entry in (REPOSITORY / package).iterdir()} - {"__init__.py", "__pycache__"}
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("One sentence.", True), ("One, of\ntwo lines. Pure.", True), ("One. Two. Three.", False), ("", False)],
)
def test_what_states_a_purpose(text: str, holds: bool) -> None:
    assert is_purpose(text) is holds
