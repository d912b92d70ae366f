"""What whisper.transcribe decides for one file: windows, segments, words. Knows no weights."""
