"""Reasons of Exposed, Monitored, Protected and ClientsToldApart: the ways to a service."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

ONE_ADDRESS_FOR_ALL: Final = declare_reason(
    "OneAddressForAll",
    types.CLIENTS_TOLD_APART,
    meaning="Clients without API keys are told apart by their addresses, and what they come through hides those.",
    remedy="Name the proxies' networks in `spec.server.trustedProxies`, give clients API keys by `spec.auth`, or let "
    "a load balancer keep the addresses by `spec.service.externalTrafficPolicy: Local`.",
)
API_MISSING: Final = declare_reason(
    "ApiMissing",
    types.EXPOSED,
    types.MONITORED,
    types.AUTOSCALING_ACTIVE,
    meaning="The cluster does not serve the API of an object that the spec asks for.",
    remedy="Install what the message names, or remove the field.",
)
ADDRESS_ASSIGNED: Final = declare_reason(
    "AddressAssigned", types.EXPOSED, meaning="The Ingress or load balancer has an address."
)
ADDRESS_PENDING: Final = declare_reason(
    "AddressPending",
    types.EXPOSED,
    meaning="The Ingress or load balancer has no address yet.",
    remedy="If it lasts: see whether a controller for the Ingress class or load balancers runs.",
)
ROUTE_ACCEPTED: Final = declare_reason("RouteAccepted", types.EXPOSED, meaning="Every gateway accepted the HTTPRoute.")
ROUTE_PENDING: Final = declare_reason(
    "RoutePending",
    types.EXPOSED,
    meaning="No gateway has accepted or refused the HTTPRoute yet.",
    remedy="If it lasts: correct `spec.gateway.parentRefs`.",
)
APPLIED: Final = declare_reason(
    "Applied",
    types.MONITORED,
    types.AUTOSCALING_ACTIVE,
    types.PROTECTED,
    meaning="The objects are applied; the controller that reads them gives no reason.",
)
