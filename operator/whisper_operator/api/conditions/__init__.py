"""The conditions of a WhisperService: their types, the reasons of each subject, and the time at which one last changed.

A new type or reason is one entry here; `make gen` writes docs/reference/conditions.md from it.
"""

from whisper_operator.api.conditions.edits import *  # noqa: F403
from whisper_operator.api.conditions.exposure import *  # noqa: F403
from whisper_operator.api.conditions.model import *  # noqa: F403
from whisper_operator.api.conditions.outcome import *  # noqa: F403
from whisper_operator.api.conditions.pods import *  # noqa: F403
from whisper_operator.api.conditions.preflight import *  # noqa: F403
from whisper_operator.api.conditions.scaling import *  # noqa: F403
from whisper_operator.api.conditions.shared_store import *  # noqa: F403
from whisper_operator.api.conditions.storage import *  # noqa: F403
from whisper_operator.api.conditions.types import *  # noqa: F403
from whisper_operator.api.conditions.update import *  # noqa: F403
from whisper_operator.api.registry import CONDITION_TYPES as CONDITION_TYPES
from whisper_operator.api.registry import REASONS as REASONS
