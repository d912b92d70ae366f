"""Networks and hosts of settings: some, and never all."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from whisper_runtime.contract.config_types import AllowedHostEntry, Network, PrivateNetwork

EVERY_NETWORK = ("0.0.0.0/0", "::/0")
NO_NETWORK = ("*", "10.0.0.0/33", "ingress")


@pytest.mark.parametrize("proxy", EVERY_NETWORK)
def test_all_addresses_are_no_proxies(proxy: str) -> None:
    """Trusted by all, the header says what any client writes into it."""
    with pytest.raises(ValidationError, match="name your proxies' networks"):
        TypeAdapter(Network).validate_python(proxy)


@pytest.mark.parametrize("network", EVERY_NETWORK)
def test_all_addresses_are_no_private_network(network: str) -> None:
    """All addresses together would permit the cloud's metadata."""
    with pytest.raises(ValidationError, match="the cloud's metadata"):
        TypeAdapter(PrivateNetwork).validate_python(network)


@pytest.mark.parametrize("written", NO_NETWORK)
@pytest.mark.parametrize("kind", [Network, PrivateNetwork])
def test_a_network_is_an_address_or_a_prefix(kind: object, written: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize("host", ["*", "10.0.0.1", "ftp://a.example.com", "https://a.example.com/b"])
def test_an_allowed_host_is_a_name(host: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AllowedHostEntry).validate_python(host)
