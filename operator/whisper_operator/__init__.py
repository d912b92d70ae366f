"""The operator: keeps each WhisperService as its spec asks for."""
