import openai


def call(server, key, file, task):
    audio = openai.OpenAI(base_url=f"{server}/v1", api_key=key).audio
    with open(file, "rb") as stream:
        match task:
            case "json":
                return {"text": audio.transcriptions.create(model="whisper-1", file=stream).text}
            case "words":
                found = audio.transcriptions.create(
                    model="whisper-1",
                    file=stream,
                    response_format="verbose_json",
                    timestamp_granularities=["word", "segment"],
                )
                words = [[word.word, word.start, word.end] for word in found.words]
                return {"text": found.text, "words": words, "language": found.language, "duration": found.duration}
            case "srt":
                return {"text": audio.transcriptions.create(model="whisper-1", file=stream, response_format="srt")}
            case "stream":
                events = list(audio.transcriptions.create(model="whisper-1", file=stream, stream=True))
                return {"deltas": [event.delta for event in events[:-1]], "text": events[-1].text}
            case "translation":
                return {"text": audio.translations.create(model="whisper-1", file=stream).text}
