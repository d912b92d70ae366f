"""The types of single fields: what each accepts, and the message that refuses the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import kept, letters, problem
from whisper_operator.api.scalars import (
    BatchSize,
    ByteSize,
    CountOrPercent,
    DataKey,
    Duration,
    Host,
    KeyRef,
    LocalRef,
    ObjectName,
    Opaque,
    VolumeSize,
)

NO_DURATION = "is not a valid duration; for example 30s, 10m or 1h30m"
NO_SIZE = "is not a valid size; for example 512Ki, 100Mi or 10Gi"


@pytest.mark.parametrize("text", ["1s", "720h", "1h30m", "30m1h", "1h1h", "999999s", "1s" * 10])
def test_a_duration_is_kept_as_it_is_written(text: str) -> None:
    assert kept(Duration, text) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", f"'' {NO_DURATION}"),
        ("30", f"'30' {NO_DURATION}"),
        ("1.5h", f"'1.5h' {NO_DURATION}"),
        ("1d", f"'1d' {NO_DURATION}"),
        ("0s", "'0s' is out of bounds: write a duration from 1s to 720h"),
        ("720h1s", "'720h1s' is out of bounds: write a duration from 1s to 720h"),
        (f"0{'1s' * 10}", "String should have at most 20 characters"),
        (30, "Input should be a valid string"),
    ],
)
def test_a_duration_of_another_form_is_refused(value: Any, message: str) -> None:
    assert problem(Duration, value) == message


@pytest.mark.parametrize("text", ["1", "0001", "1k", "512Ki", "1.125Gi", "1023Pi", "1152P"])
def test_a_size_is_kept_as_it_is_written(text: str) -> None:
    assert kept(ByteSize, text) == kept(VolumeSize, text) == text


def test_the_size_of_a_cache_may_be_left_to_the_operator() -> None:
    assert kept(VolumeSize, "auto") == "auto"
    assert problem(VolumeSize, "Auto") == f"'Auto' {NO_SIZE}"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", f"'' {NO_SIZE}"),
        ("100 MB", f"'100 MB' {NO_SIZE}"),
        ("-1", f"'-1' {NO_SIZE}"),
        ("0.999", f"'0.999' {NO_SIZE}"),
        ("1000m", f"'1000m' {NO_SIZE}"),
        ("1024Pi", "'1024Pi' is too large: write less than 1Ei"),
        (f"{'0' * 15}.000Ki1", "String should have at most 20 characters"),
        (5, "Input should be a valid string"),
    ],
)
@pytest.mark.parametrize("of", [ByteSize, VolumeSize], ids=["ByteSize", "VolumeSize"])
def test_a_size_of_another_form_is_refused(of: Any, value: Any, message: str) -> None:
    assert problem(of, value) == message


@pytest.mark.parametrize("value", ["auto", 1, 256])
def test_a_batch_size_is_auto_or_a_number(value: Any) -> None:
    assert kept(BatchSize, value) == value


@pytest.mark.parametrize("value", [0, 257, 1.5, True, "8", "Auto"])
def test_a_batch_size_of_another_form_is_refused(value: Any) -> None:
    assert problem(BatchSize, value) == f"{value!r} is neither auto nor a whole number from 1 to 256; for example 8"


@pytest.mark.parametrize("value", [0, 1000, "0%", "7%", "99%", "100%"])
def test_a_number_of_pods_is_a_count_or_a_percentage(value: Any) -> None:
    assert kept(CountOrPercent, value) == value


@pytest.mark.parametrize("value", [-1, 1001, 0.5, False, "1", "101%", "-1%", "50 %", "%"])
def test_a_number_of_pods_of_another_form_is_refused(value: Any) -> None:
    assert problem(CountOrPercent, value) == (
        f"{value!r} is neither a whole number from 0 to 1000 nor a percentage from 0% to 100%; for example 1 or 50%"
    )


@pytest.mark.parametrize("name", ["a", "1", "speech", "a-1.b-2", letters(253)])
def test_an_object_is_named_by_a_dns_subdomain(name: str) -> None:
    assert kept(ObjectName, name) == name


@pytest.mark.parametrize("name", ["", "Speech", "-a", "a-", "a.", ".a", "a..b", "a_b", "a\n"])
def test_an_object_by_another_name_is_refused(name: str) -> None:
    assert problem(ObjectName, name) == (
        f"{name!r} is not a valid object name; use lower-case letters, digits, hyphens, and dots between them"
    )


@pytest.mark.parametrize("key", ["a", "tls.crt", "API_KEY-1", "..", letters(253)])
def test_a_key_of_a_secret_is_accepted(key: str) -> None:
    assert kept(DataKey, key) == key


@pytest.mark.parametrize("key", ["", "a b", "a/b", "ü"])
def test_a_key_that_no_secret_has_is_refused(key: str) -> None:
    assert problem(DataKey, key) == (
        f"{key!r} is not a valid key of a Secret or ConfigMap; use letters, digits, '-', '_' and '.'"
    )


@pytest.mark.parametrize(
    "host", ["localhost", "speech.example.com", "*.example.com", "1.example.com", "a.1b", "a.b-2", letters(253)]
)
def test_a_host_is_a_domain_or_a_wildcard_below_one(host: str) -> None:
    assert kept(Host, host) == host


@pytest.mark.parametrize(
    "host",
    [
        *("", "*", "*.*.a.com", "a.*.com", "EXAMPLE.com", "a.com.", "a..com", "-a.com", "a-.com", "a.b-", "a com"),
        *("10.0.0.1", "a.7", "[::1]", "https://a.com", "a.com:80", "a.com/b"),
    ],
)
def test_an_address_that_is_no_host_is_refused(host: str) -> None:
    assert problem(Host, host) == (
        f"{host!r} is not a valid host name; for example speech.example.com, without scheme, port or path; "
        "no IP address"
    )


@pytest.mark.parametrize("of", [ObjectName, DataKey, Host], ids=["ObjectName", "DataKey", "Host"])
def test_a_name_has_at_most_253_characters(of: Any) -> None:
    assert problem(of, letters(254)) == "String should have at most 253 characters"


def test_an_object_of_kubernetes_own_is_kept_whatever_is_in_it() -> None:
    body = {"any": ["thing", {"at": None}], "2": 1.5}
    assert kept(Opaque, body) == body
    assert problem(Opaque, "text") == "Input should be a valid dictionary"


def test_a_reference_names_an_object_and_where_it_needs_one_a_key() -> None:
    assert LocalRef.model_validate({"name": "keys"}).name == "keys"
    assert KeyRef.model_validate({"name": "ca", "key": "root.pem"}).key == "root.pem"
    assert problem(KeyRef, {"name": "ca"}) == "key: Field required"
    assert problem(KeyRef, {"key": "root.pem"}) == problem(LocalRef, {}) == "name: Field required"
