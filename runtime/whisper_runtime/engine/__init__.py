"""The transcription engine: what whisper.transcribe decides, the forward pass, and who is computed when."""
