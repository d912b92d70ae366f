"""An SBOM names what its image holds, with the lock's hashes, and CycloneDX's own validator takes it."""

from __future__ import annotations

import json
import subprocess

import pytest

from hack.release import locked, sbom
from hack.release.image_contents import DebianPackage, ImageContents, PythonDistribution
from testbed.paths import REPOSITORY
from tests.hack.release.oci_layout import VENV

LOCK = REPOSITORY / "hack/requirements/operator.txt"
MADE = 1_764_000_000
JUDGE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()) and 'not valid')
"""


def of_image(*python: PythonDistribution) -> ImageContents:
    libc = DebianPackage("libstdc++6", "12.2.0-14+deb12u1", "amd64", "gcc-12")
    return ImageContents(f"sha256:{'ab' * 32}", "12", (libc,), python)


def judged(document: object) -> subprocess.CompletedProcess[str]:
    python = subprocess.run((str(REPOSITORY / "hack/python.sh"), "sbom"), check=True, capture_output=True, text=True)
    command = (python.stdout.strip(), "-c", JUDGE)
    return subprocess.run(command, input=json.dumps(document), env={}, capture_output=True, text=True, check=False)


def test_the_lock_has_hashes_of_every_distribution() -> None:
    found = locked.hashes(LOCK)
    assert len(found) == sum("==" in line for line in LOCK.read_text().splitlines())
    assert all(found.values())


def test_all_that_the_lock_of_an_image_has_is_valid_with_its_hashes() -> None:
    hashes = locked.hashes(LOCK)
    installed = [PythonDistribution(name, version, VENV) for name, version in hashes]
    document = sbom.document("whisper-operator", "1.2.3", of_image(*installed), hashes, MADE)
    kept = {
        (one["name"], one["version"]): {each["content"] for each in one["externalReferences"][0]["hashes"]}
        for one in document["components"]
        if one["purl"].startswith("pkg:pypi/")
    }
    assert kept == {key: set(value) for key, value in hashes.items()}
    done = judged(document)
    assert done.returncode == 0, done.stderr
    assert judged(document | {"components": [{"name": "of no type"}]}).returncode != 0, "the judge takes anything"


def test_a_package_of_debian_is_named_as_its_trackers_name_it() -> None:
    document = sbom.document("whisper-operator", "1.2.3", of_image(), {}, MADE)
    (package,) = document["components"]
    assert package["purl"] == "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12"
    assert package["properties"] == [{"name": "debian:source", "value": "gcc-12"}]


def test_it_is_of_one_digest_and_the_same_each_time() -> None:
    first, again = (sbom.document("whisper-operator", "1.2.3", of_image(), {}, MADE) for _ in range(2))
    assert json.dumps(first) == json.dumps(again)
    assert first["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]


def test_what_the_lock_does_not_name_is_refused_in_our_environment_alone() -> None:
    ours = PythonDistribution("stranger", "1.0", VENV)
    with pytest.raises(sbom.NotOfTheLock, match=r"stranger 1\.0"):
        sbom.document("whisper-operator", "1.2.3", of_image(ours), {}, MADE)
    of_base = PythonDistribution("pip", "24.0", "usr/local/lib/python3.11/site-packages")
    assert (
        "externalReferences" not in sbom.document("whisper-operator", "1", of_image(of_base), {}, MADE)["components"][1]
    )
