"""OpenAI's API in detail: forms, options, responses and their five formats."""
