"""The packaged chart is what the folder is, to helm and to the byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from hack.release import archive, packaged_chart
from hack.release.version import version
from tests.support.chart import CHART, helm

MODIFIED = 1_764_000_000


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packaged_chart.package(tmp_path, version(), MODIFIED)


def test_helm_finds_the_chart_in_it(package: Path) -> None:
    shown = helm("show", "chart", str(package))
    assert yaml.safe_load(shown.stdout)["version"] == version()
    assert package.name == f"whisper-operator-{version()}.tgz"


def test_it_renders_what_the_folder_renders(package: Path) -> None:
    of_package, of_folder = (helm("template", "one", str(chart), "--namespace", "two") for chart in (package, CHART))
    assert of_package.stdout
    assert of_package.stdout == of_folder.stdout


def test_it_is_the_same_wherever_and_whenever_it_is_made(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(CHART, tmp_path / "elsewhere", copy_function=shutil.copyfile)  # with today's times
    monkeypatch.setattr(packaged_chart, "CHART", copy)
    (tmp_path / "again").mkdir()
    again = packaged_chart.package(tmp_path / "again", version(), MODIFIED)
    assert again.read_bytes() == package.read_bytes()


def test_a_program_stays_executable_in_an_archive(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/program").write_text("#!/bin/sh\n")
    (tmp_path / "in/program").chmod(0o750)
    (tmp_path / "in/text").write_text("words")
    archive.write_tgz(tmp_path / "a.tgz", archive.tree(tmp_path / "in"), MODIFIED)
    shutil.unpack_archive(tmp_path / "a.tgz", tmp_path / "out", "gztar")
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()}
    assert modes == {"program": 0o755, "text": 0o644}
