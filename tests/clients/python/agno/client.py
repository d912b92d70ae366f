import os

from agno.tools.openai import OpenAITools


def call(server, key, file, task):
    os.environ["OPENAI_BASE_URL"] = f"{server}/v1"
    return {"text": OpenAITools(api_key=key).transcribe_audio(file)}
