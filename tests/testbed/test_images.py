"""An image's name is the hash of what goes in, and an archive holds what the node lacks."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.images import buildah
from testbed.images.__main__ import build
from testbed.images.layout import named
from testbed.images.load import write_archive
from testbed.images.older import KEPT, forget, older_references
from testbed.images.recipe import OPERATOR, RUNTIME, files
from testbed.paths import REPOSITORY


def copy(tmp_path: Path) -> Path:
    for path in ("operator", "runtime", "hack/requirements"):
        shutil.copytree(REPOSITORY / path, tmp_path / path)
    for dockerfile in ("Dockerfile.operator", "Dockerfile.runtime"):
        shutil.copy(REPOSITORY / dockerfile, tmp_path)
    return tmp_path


def test_a_change_of_code_names_its_own_image_alone(tmp_path: Path) -> None:
    root = copy(tmp_path)
    before = {recipe: recipe.reference("base", root) for recipe in (OPERATOR, RUNTIME)}
    (root / "runtime/whisper_runtime/media/decode.py").write_text("# changed")
    assert OPERATOR.reference("base", root) == before[OPERATOR]
    assert RUNTIME.reference("base", root) != before[RUNTIME]
    assert OPERATOR.reference("another-base", root) != before[OPERATOR]


def test_compiled_python_is_no_input(tmp_path: Path) -> None:
    root = copy(tmp_path)
    before = RUNTIME.reference("base", root)
    (root / "runtime/whisper_runtime/__pycache__").mkdir(exist_ok=True)
    (root / "runtime/whisper_runtime/__pycache__/audio.pyc").write_bytes(b"x")
    assert RUNTIME.reference("base", root) == before


def test_every_input_exists() -> None:
    for recipe in (OPERATOR, RUNTIME):
        for path in recipe.inputs:
            assert files(REPOSITORY, (path,)), path


def test_an_archive_leaves_out_the_blobs_that_are_there(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs/sha256"
    blobs.mkdir(parents=True)
    manifest = {"layers": [{"digest": "sha256:old"}, {"digest": "sha256:new"}], "config": {"digest": "sha256:config"}}
    for name, content in (("old", "layer"), ("new", "layer"), ("config", "{}"), ("m", json.dumps(manifest))):
        (blobs / name).write_text(content)
    entry = {"digest": "sha256:m", "annotations": {"org.opencontainers.image.ref.name": "localhost/x:1"}}
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [entry]}))
    stream = io.BytesIO()
    write_archive(stream, tmp_path, "localhost/x:1", {"sha256:old"})
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        names = archive.getnames()
    assert names == ["oci-layout", "index.json", "blobs/sha256/new", "blobs/sha256/config", "blobs/sha256/m"]


def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"manifests": []}')
    with pytest.raises(SystemExit, match="localhost/x:1 has not been built"):
        write_archive(io.BytesIO(), tmp_path, "localhost/x:1", set())


def layout_of(folder: Path, images: dict[str, str]) -> None:
    """A layout of images, each of one layer: the layer's digest by the image's reference."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    manifests: list[dict[str, object]] = []
    for number, (reference, layer) in enumerate(images.items()):
        (blobs / layer).write_text("layer")
        (blobs / f"c{number}").write_text("{}")
        manifest = {"layers": [{"digest": f"sha256:{layer}"}], "config": {"digest": f"sha256:c{number}"}}
        (blobs / f"m{number}").write_text(json.dumps(manifest))
        manifests.append(
            {"digest": f"sha256:m{number}", "annotations": {"org.opencontainers.image.ref.name": reference}}
        )
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))


def test_an_image_that_is_forgotten_takes_its_own_blobs_with_it(tmp_path: Path) -> None:
    layout_of(tmp_path, {"localhost/x:1": "old", "localhost/x:2": "shared", "localhost/y:1": "shared"})
    forget(tmp_path, ["localhost/x:1", "localhost/x:2"])
    assert {blob.name for blob in (tmp_path / "blobs/sha256").iterdir()} == {"shared", "c2", "m2"}
    write_archive(io.BytesIO(), tmp_path, "localhost/y:1", set())


def test_the_oldest_runtimes_go_and_no_operator(tmp_path: Path) -> None:
    count = KEPT + 2
    names = [f"localhost/{recipe.name}:{number}" for number in range(count) for recipe in (OPERATOR, RUNTIME)]
    layout_of(tmp_path, dict.fromkeys(names, "layer"))
    assert older_references(named(tmp_path), RUNTIME) == [f"localhost/{RUNTIME.name}:{number}" for number in range(2)]


@pytest.mark.parametrize(
    ("is_built", "is_written", "steps"),
    [(False, False, ["build", "push"]), (True, False, ["push"]), (True, True, [])],
    ids=["new", "its push broke off", "there"],
)
def test_an_image_is_there_once_it_is_written(
    is_built: bool, is_written: bool, steps: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk it may be built and not written; to start again is to write it."""
    done: list[str] = []
    layout_of(tmp_path, {"localhost/x:1": "layer"} if is_written else {})
    monkeypatch.setattr(buildah, "LAYOUT", tmp_path)

    def exists(reference: str) -> bool:
        return is_built or reference != "localhost/x:1"

    def references(_name: str) -> list[str]:
        return []

    def noting(step: str) -> Callable[..., None]:
        return lambda *_: done.append(step)

    monkeypatch.setattr(buildah, "exists", exists)
    monkeypatch.setattr(buildah, "references", references)
    for step in ("build", "push"):
        monkeypatch.setattr(buildah, step, noting(step))
    build("localhost/x:1", "Dockerfile.operator", "localhost/base:1")
    assert done == steps


def test_layers_of_dependencies_are_there_as_they_are_when_a_runtime_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push compresses what is not there; the operator's, before it, leaves only what an image in the layout has."""
    layout_of(tmp_path, {})
    layer = tmp_path / "blobs/sha256/dependencies"
    built: set[str] = set()
    found: dict[str, bool] = {}

    def build_one(reference: str, *_: str) -> None:
        built.add(reference)

    def references(_name: str) -> list[str]:
        return []

    def seed(_reference: str) -> None:
        layer.write_text("layer")

    def push(reference: str) -> None:
        found[reference] = layer.exists()

    monkeypatch.setattr(buildah, "LAYOUT", tmp_path)
    monkeypatch.setattr(buildah, "exists", built.__contains__)
    for name, fake in (("references", references), ("build", build_one), ("seed", seed), ("push", push)):
        monkeypatch.setattr(buildah, name, fake)
    for recipe in (OPERATOR, RUNTIME):
        build(f"localhost/{recipe.name}:1", recipe.dockerfile, "localhost/base:1")
    assert found[f"localhost/{RUNTIME.name}:1"]
