"""What the documents promise exists: links, paths, commands, manifests, rights."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pages import yaml_blocks
from whisper_operator.api.unsupported import UNSUPPORTED, unsupported
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, WhisperService
from whisper_operator.cli.render import rendered
from whisper_operator.observe.installation import Installation

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "tests/README.md"],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
ROOTS = (ROOT, ROOT / "operator/whisper_operator", ROOT / "runtime/whisper_runtime", ROOT / "tests")
"""What a path in a page may be relative to."""
BUILT = "dist"
"""What `make release` and `make site` write, which git ignores."""
TOP = sorted({entry.name for entry in ROOT.iterdir() if entry.is_dir() and entry.name[0] not in "._"} - {BUILT})
OURS = ("benchmarks", "chaos", "hack", "kubectl_whisper", "testbed", "whisper_operator", "whisper_runtime")

of_each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
examples = pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def paths(text: str) -> Iterator[str]:
    """What looks like a path of this repository: below one of its folders, or a folder in backticks."""
    yield from re.findall(rf"(?<![\w/.:@-])((?:{'|'.join(TOP)})/[\w./-]*\w/?)", text)
    yield from re.findall(r"`(\w[\w.-]*/(?:[\w.-]+/)*|\w[\w-]*\.md)`", text)


def service(body: dict[str, Any]) -> dict[str, Any]:
    """`body` as a whole WhisperService: a page may show a part of its spec alone."""
    spec = {"model": {"name": "base"}} | body["spec"]
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "shown"}} | body | {"spec": spec}


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    kept = target if isinstance(target, dict) else {}
    changed = {key: merged(kept.get(key), value) for key, value in patch.items()}
    return {key: value for key, value in {**kept, **changed}.items() if value is not None}


def is_rendered(body: dict[str, Any]) -> bool:
    """Whether the operator makes something of it; raises where the spec is wrong."""
    parsed = WhisperService.parse(body)
    return unsupported(parsed.spec) == [] and bool(rendered(parsed, Installation("runtime:1")))


@of_each
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
        linked = (page.parent / target) if target else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), f"{target}#{anchor}"


@of_each
def test_every_path_exists(page: Path) -> None:
    missing = {path for path in paths(page.read_text()) if not any((root / path).exists() for root in ROOTS)}
    assert missing == set()


@of_each
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = re.findall(r"(?:`|^    |\$\()(?:UPDATE_GOLDEN=1 )?make (?:-s )?([a-z-]+)", page.read_text(), re.M)
    assert named or page.name not in ("README.md", "CONTRIBUTING.md") or page.parent != ROOT
    assert set(named) <= targets


@of_each
def test_every_module_that_is_run_exists(page: Path) -> None:
    for module in re.findall(r"-m ([\w.]+)", page.read_text()):
        assert module.partition(".")[0] not in OURS or importlib.util.find_spec(module), module


@of_each
def test_every_manifest_is_one_that_the_operator_takes(page: Path) -> None:
    for body in yaml_blocks(page):
        if body.get("kind", KIND) == KIND and "spec" in body:
            assert is_rendered(service(body))


@of_each
def test_every_patch_leads_to_a_manifest_that_the_operator_takes(page: Path) -> None:
    """Given the page's first WhisperService, each `kubectl patch` of the page, one after the other."""
    shown = next((body for body in yaml_blocks(page) if body.get("kind") == KIND), {"spec": {}})
    body = service(shown)
    for patch in re.findall(r"kubectl patch wsvc [^']*--type=merge[^']*-p '([^']*)'", page.read_text()):
        body = merged(body, json.loads(patch))
        assert is_rendered(body)


@examples
def test_an_example_is_implemented(file: Path) -> None:
    assert is_rendered(yaml.safe_load(file.read_text()))


def test_the_readme_names_what_is_not_implemented() -> None:
    text = (ROOT / "README.md").read_text()
    for path, _ in UNSUPPORTED:
        assert f"`{path.removeprefix('spec.')}`" in text


def test_the_architecture_names_every_folder() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    for contract in (one for one in contracts if one["type"] == "layers"):
        package = contract["containers"][0].split(".")
        folder = ROOT / ("operator" if package[0] == "whisper_operator" else "runtime") / "/".join(package)
        for name in re.findall(r"\w+", " ".join(contract["layers"])):
            path = "/".join((*package[1:], name))
            assert not (folder / name).is_dir() or f"`{path}/" in text, path


def test_decisions_are_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert page.read_text().startswith(f"# {int(page.name[:4])}. ")


def granted() -> set[tuple[str, str, str, str]]:
    """The rules of the chart's roles: scope, group, resources, verbs."""
    helpers = (ROOT / "charts/whisper-operator/templates/_helpers.tpl").read_text()
    roles = (ROOT / "charts/whisper-operator/templates/rbac.yaml").read_text()
    texts = {
        "watched": helpers.partition('define "whisper-operator.rules" -}}')[2].partition("{{- end }}")[0],
        "cluster": helpers.partition('define "whisper-operator.cluster-rules" -}}')[2].partition("{{- end }}")[0],
        "own namespace": roles.partition("rules:\n")[2].partition("---")[0],
    }
    return {
        (scope, rule["apiGroups"][0] or "core", ", ".join(rule["resources"]), ", ".join(rule["verbs"]))
        for scope, text in texts.items()
        for rule in yaml.safe_load(text)
    }


def test_every_right_of_the_operator_has_its_reason() -> None:
    rows = re.findall(
        r"^\| (watched|cluster|own namespace) \| (.+?) \| (.+?) \| (.+?) \| (\S.*) \|$",
        (ROOT / "SECURITY.md").read_text(),
        re.M,
    )
    assert {row[:4] for row in rows} == granted()


def test_another_page_leads_to_every_page() -> None:
    """By a link; those of decisions and runbooks are read in their folders."""
    linked = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())
        if (page.parent / target).resolve() != page.resolve()
    }
    pages = {
        page for page in PAGES if page.parent.parent == ROOT / "docs" and page.parent.name not in ("adr", "runbooks")
    }
    assert sorted(page.relative_to(ROOT).as_posix() for page in pages - linked) == []
