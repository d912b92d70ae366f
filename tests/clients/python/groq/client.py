import groq


def call(server, key, file, task):
    audio = groq.Groq(base_url=server, api_key=key).audio
    with open(file, "rb") as stream:
        match task:
            case "json":
                found = audio.transcriptions.create(model="whisper-1", file=stream)
                return {"text": found.text, "id": found.x_groq["id"]}
            case "words":
                found = audio.transcriptions.create(
                    model="whisper-1",
                    file=stream,
                    response_format="verbose_json",
                    timestamp_granularities=["word", "segment"],
                )
                words = [[word["word"], word["start"], word["end"]] for word in found.words]
                return {"text": found.text, "words": words, "language": found.language, "duration": found.duration}
            case "translation":
                return {"text": audio.translations.create(model="whisper-1", file=stream).text}
