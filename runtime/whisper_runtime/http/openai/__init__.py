"""OpenAI's words: forms, options, responses and their five formats."""
