"""The engine against `whisper.transcribe`: a corpus of real speech, upstream's answers to it, and what differs."""
