from llama_index.readers.whisper import WhisperReader


def call(server, key, file, task):
    reader = WhisperReader(api_key=key, client_kwargs={"base_url": f"{server}/v1"})
    return {"text": reader.load_data(file)[0].text}
