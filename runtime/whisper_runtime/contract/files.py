"""The paths of files that pods read and write."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DEFAULT_MODEL_DIR: Final = "/app/models"
API_KEYS_DIR: Final = "/etc/whisper/api-keys"
WEBHOOK_SECRETS_DIR: Final = "/etc/whisper/webhook-secrets"
SOURCE_CREDENTIALS_DIR: Final = "/etc/whisper/source"
"""A mounted Secret: `token`, or `username` and `password`, for http(s)://; the AWS_* keys for s3://."""
SOURCE_URL_FILE: Final = "/etc/whisper/source-url/url"
"""A key of a mounted Secret: a URL that is a credential itself."""
SOURCE_CA_FILE: Final = "/etc/whisper/source-ca/ca.crt"
SOURCE_CLAIM_DIR: Final = "/source"
"""Mount path of the claim that a pvc:// URL names."""
REDIS_URL_FILE: Final = "/etc/whisper/redis/url"
"""A key of a mounted Secret."""
REDIS_CA_FILE: Final = "/etc/whisper/redis-ca/ca.crt"
SCRATCH_DIR: Final = "/tmp"
SPOOL_DIR: Final = "/var/spool/whisper"
"""Mount path of the volume on which a front keeps what clients send."""
JOBS_DIR: Final = "/var/lib/whisper/jobs"
"""Mount path of the volume that keeps jobs: not below SCRATCH_DIR, which is empty in each new pod."""
JOBS_BUCKET_DIR: Final = "/etc/whisper/jobs-bucket"
"""A mounted Secret: the AWS_* keys of their bucket."""
PACKAGED_GOLDEN_DIR: Final = str(Path(__file__).parents[1] / "media" / "golden")
"""Directory of `clip.wav` and `clip.txt`: the speech and the words that prove a model before it takes traffic.

`espeak-ng -v en-us -s 130` speaks them, at 16 kHz: nobody's voice is in the package.
"""
PACKAGED_ENCODERS_DIR: Final = str(Path(__file__).parents[1] / "diarization")
"""Directory of the speaker encoders that come with the runtime, each as `NAME.pt`."""
OWN_GOLDEN_DIR: Final = "/etc/whisper/golden"
"""The same for the user's own clip."""
API_KEY_FILE: Final = "/etc/whisper/verify/api-key"
"""One client's API key, in the pod of a verification."""
TERMINATION_LOG: Final = "/dev/termination-log"
TERMINATION_MESSAGE_LIMIT: Final = 4096
"""Bytes of a termination message that the kubelet keeps."""
