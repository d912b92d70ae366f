"""The decisions of whisper.transcribe about one file: windows, segments, words; no weights are known here."""
