from haystack.utils import Secret
from haystack_integrations.components.audio.whisper import RemoteWhisperTranscriber


def call(server, key, file, task):
    transcriber = RemoteWhisperTranscriber(api_key=Secret.from_token(key), api_base_url=f"{server}/v1")
    return {"text": transcriber.run(sources=[file])["documents"][0].content}
