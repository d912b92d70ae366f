"""The transcription engine: what whisper.transcribe decides, the forward pass, and the batching of requests."""
