"""The runtime: one process that serves one Whisper model by OpenAI's audio API."""
