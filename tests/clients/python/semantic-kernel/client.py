import asyncio

import openai
from semantic_kernel.connectors.ai.open_ai import OpenAIAudioToText
from semantic_kernel.contents import AudioContent


def call(server, key, file, task):
    client = openai.AsyncOpenAI(base_url=f"{server}/v1", api_key=key)
    service = OpenAIAudioToText(ai_model_id="whisper-1", async_client=client)
    return {"text": asyncio.run(service.get_text_content(AudioContent.from_audio_file(file))).text}
