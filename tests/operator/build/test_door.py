"""What a pod needs to let requests in or refuse them."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.build import door
from whisper_runtime.contract.config import RuntimeConfig


def test_a_spec_that_says_nothing_has_the_runtimes_own_settings() -> None:
    found = RuntimeConfig(**door.settings(service()))
    assert found == RuntimeConfig(probes_on_http=False)


def test_the_page_is_off_where_the_spec_says_so() -> None:
    assert door.settings(service(server={"ui": False}))["ui"] is False


def test_keys_are_mounted_where_the_spec_names_their_secret() -> None:
    assert door.keys(service()) == []
    ((mount, volume),) = door.keys(service(auth={"secretRef": {"name": "keys"}}))
    assert mount["name"] == volume["name"]
    assert volume["secret"] == {"secretName": "keys", "defaultMode": 0o440}
