"""Where a checkpoint comes from: a URL, whose scheme decides which of the other fields may be set.

The scheme is the union's discriminator: a new kind of source is one line of FIELDS. docs/adr/0019 has the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final
from urllib.parse import urlsplit

from pydantic.alias_generators import to_camel

from whisper_operator.api.base import ApiModel, Rule, text
from whisper_operator.api.scalars import KeyRef, LocalRef

_HOST = "[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?"
_PART = "[A-Za-z0-9_][-A-Za-z0-9_.]{0,95}"
"""Of a repository's name, or a revision, which here has no slash."""
_OCI_PART = "[a-z0-9]+([._-]+[a-z0-9]+)*"
_OCI = (
    f"oci://{_HOST}/{_OCI_PART}(/{_OCI_PART})*"
    "(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}|(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?@sha256:[0-9a-f]{64})"
)
"""Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests"""
_URL = (
    f"^(https?://([!-.0-?A-~]*@)?{_HOST}(/[!-~]*)?"
    "|s3://[a-z0-9][-a-z0-9.]*/[!-~]+|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[!-~]+"
    f"|hf://{_PART}/{_PART}@{_PART}|{_OCI})$"
)
"""Credentials match, because a rule below refuses them with a message of their own."""
_CREDENTIALS = "^(https?|s3|pvc)://[^/]*@"
_PINNED = "^(hf://.*@[0-9a-f]{40}|oci://.*@sha256:[0-9a-f]{64})$"
_SIGNATURES = (
    "x-(amz|goog|oss|obs|cos|bz)-(signature|credential|security-token)|q-signature|signature|sig|awsaccesskeyid|"
    "googleaccessid|ossaccesskeyid|(access_?|private_?|job_?|auth_?)?token|api_?key|password|secret"
)
_SIGNED = f"(?i)[?&]({_SIGNATURES})="
"""Parameters by which stores of objects and forges let in whoever has the URL."""
_NO_FILE = "^(s3|pvc)://.*([?#]|/$|/[.][.](/|$))"

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "https": ("secret_ref", "ca_config_map_key_ref"),
    "http": ("secret_ref", "ca_config_map_key_ref"),
    "s3": ("secret_ref", "ca_config_map_key_ref", "region", "endpoint"),
    "hf": ("secret_ref", "ca_config_map_key_ref", "endpoint"),
    "oci": ("secret_ref", "ca_config_map_key_ref", "endpoint"),
    "pvc": (),
    "": ("ca_config_map_key_ref",),
}
"""Fields that a source of each scheme may have beside its digest; the empty scheme: a URL in a Secret."""
_INSTEAD: Final = {
    "secretRef": "it holds credentials for https://, http://, s3://, hf:// or oci://, and a URL in a Secret is one "
    "itself",
    "caConfigMapKeyRef": "no server is asked for a claim's file",
    "region": "it is the region of an s3:// bucket",
    "endpoint": "it is the server of an s3:// bucket, or a mirror of the hub of hf://, or of the registry of oci://",
}
"""What a field is for that a source cannot have."""


BucketRegion = Annotated[
    str, *text("^[A-Za-z0-9][-A-Za-z0-9_.]*$", "is not a valid region; for example eu-central-1", longest=63)
]
StorageEndpoint = Annotated[
    str,
    *text(
        f"^https?://{_HOST}(/[-A-Za-z0-9._~/]*)?$",
        "is not a valid address of an S3 server, or of a mirror of the hub or of a registry; for example "
        "https://minio.example.com:9000",
        longest=512,
    ),
]


SourceUrl = Annotated[
    str,
    *text(
        _URL,
        "is not a valid URL of a checkpoint; use https://, http://, s3://bucket/key, hf://owner/name@commit, "
        "oci://registry/repository@sha256:digest or pvc://claim/path",
        longest=2048,
    ),
]


def _only_beside(at: str, field: str) -> Rule:
    """The rule that the field stands beside a URL of a scheme that has it; `at`: path of the source."""
    name, schemes = to_camel(field), [scheme for scheme, fields in FIELDS.items() if field in fields]
    fits = " || ".join(f"self.url.startsWith('{scheme}://')" for scheme in schemes if scheme)
    fits = f"!has(self.url) || {fits}" if "" in schemes else f"(has(self.url) && ({fits}))"
    return Rule(
        f"!has(self.{name}) || {fits}",
        f"{at}.{name} has no use with this source: {_INSTEAD[name]}; remove it, or correct the URL",
        lambda self: getattr(self, field) is None or self.scheme in schemes,
    )


def source_rules(at: str) -> tuple[Rule, ...]:
    """The rules of a source whose path in the manifest is `at`."""
    return (
        Rule(
            "has(self.url) != has(self.urlSecretKeyRef)",
            f"{at} needs exactly one of url and urlSecretKeyRef: write the checkpoint's URL into url, or "
            "name the Secret and key that hold it",
            lambda self: (self.url is None) != (self.url_secret_key_ref is None),
        ),
        Rule(
            f"has(self.sha256) || (has(self.url) && (self.url.startsWith('pvc://') || self.url.matches('{_PINNED}')))",
            f"{at}.sha256 is missing: add the digest that `sha256sum` prints for the checkpoint; behind "
            "hf:// the 40 hexadecimal digits of a commit after the @ do as well, behind oci:// sha256: and the 64 of a "
            "manifest's digest",
            lambda self: self.sha256 is not None or self.scheme == "pvc" or bool(re.search(_PINNED, self.url or "")),
        ),
        Rule(
            f"!has(self.url) || !self.url.matches('{_CREDENTIALS}')",
            f"{at}.url must not contain credentials: put them into a Secret and name it in {at}.secretRef",
            lambda self: not re.search(_CREDENTIALS, self.url or ""),
        ),
        Rule(
            f"!has(self.url) || !self.url.matches('{_SIGNED}')",
            f"{at}.url has a signature or token in its query, which lets in whoever reads it: put the URL "
            f"into a Secret and name it and its key in {at}.urlSecretKeyRef",
            lambda self: not re.search(_SIGNED, self.url or ""),
        ),
        Rule(
            f"!has(self.url) || !self.url.matches('{_NO_FILE}')",
            f"{at}.url does not name a file: behind s3:// and pvc:// write the path of one, which has no "
            "?, no # and no /../, and does not end in /",
            lambda self: not re.search(_NO_FILE, self.url or ""),
        ),
        *(_only_beside(at, name) for name in ("secret_ref", "ca_config_map_key_ref", "region", "endpoint")),
    )


class ModelSourceSpec(ApiModel):
    url: SourceUrl | None = None
    """URL of the checkpoint: https://, http://, s3://bucket/key, hf://owner/name@commit,
    oci://registry/repository:tag@sha256:digest or pvc://claim/path. A file in openai-whisper's format, an archive of
    Hugging Face's files, or, behind hf://, oci:// and pvc://, those files themselves."""
    url_secret_key_ref: KeyRef | None = None
    """Secret and key that hold the URL, in place of `url`: for a https:// or http:// URL that is a credential, as a
    presigned one is."""
    sha256: (
        Annotated[
            str,
            *text(
                "^[0-9a-f]{64}$",
                "is not a SHA-256 digest; write the 64 hexadecimal digits that `sha256sum` prints",
                longest=128,
            ),
        ]
        | None
    ) = None
    """SHA-256 digest of the file, 64 hexadecimal digits; checked before the file is used. Optional for pvc://, for a
    commit behind hf:// and a digest behind oci://; of files of Hugging Face it is that of their archive, as
    status.model.digest tells it."""
    secret_ref: LocalRef | None = None
    """Secret with the credentials for `url`; for oci:// also one of type kubernetes.io/dockerconfigjson. Absent with
    s3://: the identity of the pod's ServiceAccount, else none."""
    ca_config_map_key_ref: KeyRef | None = None
    """ConfigMap and key of the private certificate authority (PEM) that signed the server's certificate."""
    region: BucketRegion | None = None
    """Region of the bucket; it takes precedence over AWS_REGION of the Secret. Absent there, too: us-east-1."""
    endpoint: StorageEndpoint | None = None
    """Address of the bucket's server; it takes precedence over AWS_ENDPOINT_URL of the Secret. Absent there, too: AWS's
    own. With hf:// that of a mirror; absent: https://huggingface.co. With oci:// that of a mirror, or of a registry
    without TLS; absent: https:// and the URL's host."""

    rules: ClassVar[tuple[Rule, ...]] = source_rules("spec.model.source")

    @property
    def scheme(self) -> str:
        """Scheme of the URL; empty where a Secret holds it."""
        return self.url.partition("://")[0] if self.url else ""

    @property
    def image(self) -> str:
        """Reference of the image that an oci:// URL names."""
        return (self.url or "").removeprefix("oci://")

    @property
    def claim(self) -> str | None:
        """Name of the claim that a pvc:// URL names; None for other URLs."""
        return urlsplit(self.url).netloc if self.url and self.scheme == "pvc" else None

    @property
    def place(self) -> str:
        """What tells the source from others: its fields, without what Secrets hold."""
        held = self.url_secret_key_ref
        parts = (f"{held.name}/{held.key}" if held else self.url, self.region, self.endpoint)
        return "\n".join(part for part in parts if part)
