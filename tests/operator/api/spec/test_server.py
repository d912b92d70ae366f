"""Requests: the server's limits, clients and their keys, and what replicas share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_longest, assert_range, letters, manifest, refused, setting
from whisper_operator.api.spec.server import (
    CorsSpec,
    EnvVarSpec,
    RateLimitSpec,
    ResultCacheSpec,
    ServerSpec,
)
from whisper_runtime.contract.config import ENV_NAMES


def test_a_server_has_these_limits_unless_the_spec_says_otherwise() -> None:
    assert manifest(ServerSpec()) == {
        "maxUploadSize": "100Mi",
        "maxAudioDuration": "4h",
        "requestTimeout": "300s",
        "maxQueuedAudio": "30m",
        "maxBatchSize": "auto",
        "conditionOnPreviousText": True,
        "ui": True,
        "cors": {"allowOrigins": []},
        "trustedProxies": [],
        "audioUrls": None,
        "env": [],
    }


def test_a_client_may_send_ten_requests_a_minute_where_requests_are_limited() -> None:
    assert manifest(RateLimitSpec()) == {"requestsPerMinute": 10, "audioMinutesPerHour": None}


def test_results_are_kept_for_a_day_unless_the_spec_says_otherwise() -> None:
    assert manifest(ResultCacheSpec()) == {"size": "128Mi", "ttl": "24h", "scope": "Client"}


def test_results_have_room_for_one() -> None:
    assert accepted(resultCache={"size": "1Mi"}).result_cache
    assert refused(resultCache={"size": "1023Ki"}) == (
        "spec.resultCache.size has no room for a result: ask for at least 1Mi"
    )


@pytest.mark.parametrize("field", ["rateLimit.requestsPerMinute", "rateLimit.audioMinutesPerHour"])
def test_a_rate_has_bounds(field: str) -> None:
    assert_range(field, 1, 1_000_000)


@pytest.mark.parametrize("batch", ["auto", 1, 256])
def test_a_batch_has_a_number_of_windows_or_is_left_to_the_server(batch: str | int) -> None:
    assert accepted(server={"maxBatchSize": batch}).server.max_batch_size == batch


@pytest.mark.parametrize("batch", [0, 257, "8", "many", 1.5, True, -1], ids=repr)
def test_a_batch_beyond_its_bounds_is_refused(batch: Any) -> None:
    assert refused(server={"maxBatchSize": batch}) == (
        f"spec.server.maxBatchSize: {batch!r} is neither auto nor a whole number from 1 to 256; for example 8"
    )


def variables(count: int) -> list[dict[str, str]]:
    return [{"name": f"A{number}"} for number in range(count)]


def origins(count: int) -> list[str]:
    return ["https://app.example.com"] * count


@pytest.mark.parametrize(
    ("field", "longest", "of"), [("server.env", 64, variables), ("server.cors.allowOrigins", 64, origins)]
)
def test_a_list_has_a_greatest_length(field: str, longest: int, of: Any) -> None:
    assert_longest(field, longest, of)


def test_an_environment_variable_has_no_value_unless_the_spec_gives_one() -> None:
    assert manifest(EnvVarSpec(name="TZ")) == {"name": "TZ", "value": None, "valueFrom": None}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "_a", "-a", "a.b-c_1", letters(256)])
def test_an_environment_variable_has_any_name_that_kubernetes_takes(name: str) -> None:
    accepted(server={"env": [{"name": name, "value": letters(4096)}]})


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ({"name": ""}, "name: '' is not a valid name of an environment variable; for example HTTPS_PROXY"),
        ({"name": "1A"}, "name: '1A' is not a valid name of an environment variable; for example HTTPS_PROXY"),
        ({"name": "A B"}, "name: 'A B' is not a valid name of an environment variable; for example HTTPS_PROXY"),
        ({"name": "A=B"}, "name: 'A=B' is not a valid name of an environment variable; for example HTTPS_PROXY"),
        ({"name": letters(257)}, "name: String should have at most 256 characters"),
        ({"name": "A", "value": letters(4097)}, "value: String should have at most 4096 characters"),
        ({"value": "1"}, "name: Field required"),
    ],
    ids=["an empty name", "a digit first", "a space", "an equals sign", "a long name", "a long value", "no name"],
)
def test_a_variable_that_is_not_valid_is_refused_by_its_place_in_the_list(
    variable: dict[str, str], sentence: str
) -> None:
    assert refused(server={"env": [{"name": "TZ"}, variable]}) == f"spec.server.env[1].{sentence}"


def test_a_variable_is_set_once() -> None:
    assert refused(server={"env": [{"name": "TZ"}, {"name": "TZ", "value": "UTC"}]}) == (
        "spec.server.env: name TZ occurs more than once: remove the duplicates"
    )


@pytest.mark.parametrize(
    "variable",
    [{"value": "UTC"}, {"valueFrom": {"fieldRef": {}}}, {"value": "", "valueFrom": {"fieldRef": {}}}],
    ids=["a value", "a source", "a source beside an empty value"],
)
def test_a_variable_has_a_value_or_a_source(variable: dict[str, Any]) -> None:
    accepted(server={"env": [{"name": "TZ", **variable}]})


def test_a_variable_with_a_value_and_a_source_is_refused() -> None:
    assert refused(server={"env": [{"name": "TZ", "value": "UTC", "valueFrom": {"fieldRef": {}}}]}) == (
        "spec.server.env[0]: spec.server.env has an entry with both value and valueFrom: remove one of the two"
    )


@pytest.mark.parametrize("name", sorted(ENV_NAMES))
def test_a_variable_of_the_operators_is_refused(name: str) -> None:
    assert refused(server={"env": [{"name": name, "value": "1"}]}) == (
        f"spec.server.env must not set a variable that the operator sets ({', '.join(sorted(ENV_NAMES))}): "
        "remove it and set the spec's field for it"
    )


@pytest.mark.parametrize("origin", ["*", "https://app.example.com", "http://localhost:3000"])
def test_pages_of_an_origin_may_call_the_service(origin: str) -> None:
    assert accepted(server={"cors": {"allowOrigins": [origin]}}).server.cors == CorsSpec(allow_origins=(origin,))


@pytest.mark.parametrize("origin", ["", "app.example.com", "https://", "https://app.example.com/", "ftp://a", "**"])
def test_an_origin_of_another_form_is_refused(origin: str) -> None:
    assert refused(**setting("server.cors.allowOrigins", [origin])) == (
        f"spec.server.cors.allowOrigins[0]: {origin!r} is not a valid origin; "
        "for example https://app.example.com, or * for any"
    )


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"auth": {}}, "spec.auth.secretRef: Field required"),
        ({"redis": {"secretKeyRef": {"name": "redis"}}}, "spec.redis.secretKeyRef.key: Field required"),
    ],
    ids=["API keys without a Secret", "Redis without a key"],
)
def test_a_part_without_its_secret_is_refused(spec: dict[str, Any], sentence: str) -> None:
    assert refused(**spec) == sentence


@pytest.mark.parametrize("proxy", ["10.0.0.0/8", "192.0.2.7", "fd00::/8", "2001:db8::1", "10.1.2.3/8"])
def test_proxies_are_trusted_by_address_or_network(proxy: str) -> None:
    assert accepted(server={"trustedProxies": [proxy]}).server.trusted_proxies == (proxy,)


@pytest.mark.parametrize(
    ("proxy", "sentence"),
    [
        ("*", "is not an address or a network"),
        ("ingress.example.com", "is not an address or a network"),
        ("10.0.0.0/33", "spec.server.trustedProxies has an entry that is not an address or a network"),
        ("0.0.0.0/0", "spec.server.trustedProxies trusts every address"),
        ("::/0", "spec.server.trustedProxies trusts every address"),
    ],
)
def test_all_addresses_together_are_no_proxy(proxy: str, sentence: str) -> None:
    assert sentence in refused(server={"trustedProxies": [proxy]})


@pytest.mark.parametrize("host", ["files.example.com", "*.example.com", "http://minio.storage:9000", "minio:65535"])
def test_recordings_are_fetched_from_hosts_by_name(host: str) -> None:
    given = {"allowedHosts": [host], "privateNetworks": ["10.20.0.0/16", "fd00::1"]}
    urls = accepted(server={"audioUrls": given}).server.audio_urls
    assert urls is not None
    assert (urls.allowed_hosts, urls.private_networks) == ((host,), ("10.20.0.0/16", "fd00::1"))


@pytest.mark.parametrize(
    ("urls", "sentence"),
    [
        ({}, "spec.server.audioUrls.allowedHosts is empty"),
        ({"allowedHosts": []}, "spec.server.audioUrls.allowedHosts is empty"),
        ({"privateNetworks": ["10.20.0.0/16"]}, "spec.server.audioUrls.allowedHosts is empty"),
        ({"allowedHosts": ["*"]}, "is not a host that can be allowed"),
        ({"allowedHosts": ["10.20.0.1"]}, "is not a host that can be allowed"),
        ({"allowedHosts": ["https://files.example.com/a"]}, "is not a host that can be allowed"),
        ({"allowedHosts": ["minio:65536"]}, "is not a host that can be allowed"),
        ({"allowedHosts": ["minio"], "privateNetworks": ["minio"]}, "is not an address or a network"),
        ({"allowedHosts": ["minio"], "privateNetworks": ["10.0.0.0/33"]}, "is not an address or a network"),
        ({"allowedHosts": ["minio"], "privateNetworks": ["0.0.0.0/0"]}, "permits every address"),
        ({"allowedHosts": ["minio"], "privateNetworks": ["::/0"]}, "permits every address"),
    ],
)
def test_hosts_are_named_and_networks_are_never_all(urls: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(server={"audioUrls": urls})
