"""The operator: keeps each WhisperService as its spec asks for."""

__version__ = "0.1.0"
