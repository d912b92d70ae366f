"""An image's layers say what is installed, the later ones over the earlier."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.release.image_contents import DebianPackage, NoSuchImage, PythonDistribution, read
from tests.hack.release.oci_layout import BASE, VENV, distribution, write


def test_packages_that_are_installed_are_found_with_their_source(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"one:1": [BASE]}), "one:1")
    assert found.release == "12"
    assert found.debian == (
        DebianPackage("adduser", "3.134", "all", "adduser"),
        DebianPackage("libc6", "2.36-9+deb12u10", "amd64", "glibc"),
    )


def test_distributions_are_found_by_their_normalised_names_and_where_they_are(tmp_path: Path) -> None:
    layer = {
        distribution("PyYAML", "6.0.3"): "",
        distribution("nvidia_cublas_cu12", "12.8.4.1"): "",
        "opt/venv/bin/python": "",
    }
    base = {distribution("pip", "24.0", "usr/local/lib/python3.11/site-packages"): ""}
    assert read(write(tmp_path, {"one:1": [base, layer]}), "one:1").python == (
        PythonDistribution("nvidia-cublas-cu12", "12.8.4.1", VENV),
        PythonDistribution("pip", "24.0", "usr/local/lib/python3.11/site-packages"),
        PythonDistribution("pyyaml", "6.0.3", VENV),
    )


@pytest.mark.parametrize(
    "above",
    [
        f"{VENV}/.wh.pyyaml-6.0.3.dist-info",
        f"{VENV}/pyyaml-6.0.3.dist-info/.wh.METADATA",
        f"{VENV}/.wh..wh..opq",
        "opt/.wh.venv",
        ".wh.opt",
    ],
)
def test_what_a_later_layer_removes_is_not_there(tmp_path: Path, above: str) -> None:
    layers = [{distribution("pyyaml", "6.0.3"): ""}, {above: ""}]
    assert read(write(tmp_path, {"one:1": layers}), "one:1").python == ()


def test_a_removed_neighbour_with_a_longer_name_changes_nothing(tmp_path: Path) -> None:
    layers = [{distribution("pyyaml", "6.0.3"): ""}, {"opt/.wh.ven": ""}]
    assert len(read(write(tmp_path, {"one:1": layers}), "one:1").python) == 1


def test_a_later_layer_upgrades_packages(tmp_path: Path) -> None:
    status = "Package: adduser\nStatus: install ok installed\nVersion: 3.200\nArchitecture: all\n"
    found = read(write(tmp_path, {"one:1": [BASE, {"./var/lib/dpkg/status": status}]}), "one:1")
    assert [(one.name, one.version) for one in found.debian] == [("adduser", "3.200")]


def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchImage, match="two:2: `make images`"):
        read(write(tmp_path, {"one:1": [BASE]}), "two:2")
