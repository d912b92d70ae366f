"""The WhisperService API: spec, status, conditions, and the rules that validate them. Pure."""
