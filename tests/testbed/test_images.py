"""An image's name is the hash of what goes in, and an archive holds what the node lacks."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from testbed.images.load import write_archive
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
