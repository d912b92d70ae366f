"""Who speaks when in a recording: speakers are told apart by their voices, beside the transcription."""
