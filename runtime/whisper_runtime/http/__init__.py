"""OpenAI's API and our own over HTTP: middleware, forms, responses, streams."""
