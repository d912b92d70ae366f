"""Which parts of a recording hold speech: asked before the model, where a request wants it."""
