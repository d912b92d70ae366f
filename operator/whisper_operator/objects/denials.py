"""What the service's author can do about a denial by an admission policy or webhook: pure."""

from __future__ import annotations

import re
from typing import Final

DENIED: Final = re.compile(r"denied (the )?request")
"""In each denial: of a webhook, and of a ValidatingAdmissionPolicy.

Sources: pkg/admission/plugin/webhook/errors/statuserror.go, pkg/admission/plugin/policy/validating/dispatcher.go of
k8s.io/apiserver.
"""
ABOUT_METADATA: Final = re.compile("label|annotation", re.IGNORECASE)


def metadata_remedy(message: str, *fields: str) -> str:
    """The end of the sentence on an object that was denied, as its rule tells it in `message`; empty for other rules.

    `fields`: of the spec, by which labels and annotations are set that such a rule asks for.
    """
    if not (DENIED.search(message) and ABOUT_METADATA.search(message)):
        return ""
    return f". A label or an annotation that the rule asks for is set in {' or '.join(fields)}"
