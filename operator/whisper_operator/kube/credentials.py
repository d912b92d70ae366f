"""The server and how to authenticate: all that the official Kubernetes client is used for."""

from __future__ import annotations

import ssl
from typing import Any

from kubernetes import client, config


def credentials() -> client.Configuration:
    """A pod's service account, else the kubeconfig; raises ConfigException where there is neither."""
    found = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=found)  # pyright: ignore[reportUnknownMemberType]
    except config.ConfigException:
        config.load_kube_config(client_configuration=found)  # pyright: ignore[reportUnknownMemberType]
    return found


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
