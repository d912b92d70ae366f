"""Reasons of ChildrenMutated, PodsEdited, Paused and RuntimeUpdateAvailable: what the operator lets be."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

LET_BE: Final = declare_reason(
    "LetBe",
    types.CHILDREN_MUTATED,
    meaning="A policy changes what the operator applies of the children that the message names, somebody applies "
    "fields of his own there, a controller has repeated an edit that was taken back three times within a minute, or "
    "the API server leaves out a field that its version or feature gates do not have. The operator lets it be: nobody "
    "gains by a fight in which pods restart.",
    remedy="None where it is meant to be; else change the policy, stop the controller, or take the field out.",
)
LABEL_TAKEN_AWAY: Final = declare_reason(
    "LabelTakenAway",
    types.CHILDREN_MUTATED,
    meaning="A policy takes the label `whisper-operator.io/service` away from the children that the message names, "
    "whenever they are written. No watch shows them without it: the operator reads them every 15 s instead, and mends "
    "them that much later. What selects by that label, as a user's own monitoring, misses them too.",
    remedy="Exempt the label from the policy; it is put back with the next resync, within 10 minutes.",
)
IMAGE_EDITED: Final = declare_reason(
    "ImageEdited",
    types.PODS_EDITED,
    meaning="The pods that the message names run an image that neither the spec nor a policy chose: somebody changed "
    "it in the pod itself, where the Deployment's controller does not look. The operator may not write pods.",
    remedy="Delete the pods, whose successors run the service's image, and ask whoever the message names.",
)
NOTHING_WAITS: Final = declare_reason(
    "NothingWaits",
    types.PAUSED,
    meaning="`spec.paused` is true, and every object is as the spec asks for.",
    remedy="Set `spec.paused` to false for the operator to follow the spec again.",
)
CHANGES_WAIT: Final = declare_reason(
    "ChangesWait",
    types.PAUSED,
    types.RECONCILING,
    meaning="`spec.paused` is true; the message names the objects that the operator would write or delete.",
    remedy="Set `spec.paused` to false for the operator to do so.",
)
NEWER_DEFAULT_IMAGE: Final = declare_reason(
    "NewerDefaultImage",
    types.RUNTIME_UPDATE_AVAILABLE,
    meaning="The operator's default image changed; pods keep theirs, because upgrading the operator restarts no pod.",
    remedy="Set `spec.image.tag`, or `spec.image.repository` where the tag is set, to what the message names.",
)
