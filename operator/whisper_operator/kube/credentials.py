"""The server and how to authenticate: all that the official Kubernetes client is used for."""

from __future__ import annotations

import ssl
from typing import Any, cast

from kubernetes import client, config


def credentials(context: str | None = None) -> client.Configuration:
    """A pod's service account, else the kubeconfig; raises ConfigException where there is neither.

    `context`: of the kubeconfig, which then comes first; None: its current one.
    """
    found = client.Configuration()
    try:
        if context:
            raise config.ConfigException
        config.load_incluster_config(client_configuration=found)  # pyright: ignore[reportUnknownMemberType]
    except config.ConfigException:
        config.load_kube_config(context=context, client_configuration=found)  # pyright: ignore[reportUnknownMemberType]
    return found


def namespace_of(context: str | None = None) -> str:
    """The namespace of a context of the kubeconfig (None: the current one), as kubectl takes it; else `default`."""
    try:
        found = cast(Any, config.list_kube_config_contexts())  # pyright: ignore[reportUnknownMemberType]
    except config.ConfigException:
        return "default"
    contexts, active = found
    named: Any = next((one for one in contexts if one["name"] == context), None) if context else active
    return named["context"].get("namespace") or "default" if named else "default"


def authorization(configuration: client.Configuration) -> dict[str, str]:
    """The header to send, empty where there is none.

    Ask for it at each request: a pod's token rotates, and the client reads it again once a minute.
    """
    for identifier in ("BearerToken", "authorization"):
        token: Any = configuration.get_api_key_with_prefix(identifier)
        if token:
            return {"Authorization": token}
    return {}


def ssl_context(configuration: client.Configuration) -> ssl.SSLContext:
    """Trusts the server's authority, and shows the client's certificate where the kubeconfig has one."""
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
