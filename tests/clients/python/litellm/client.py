import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks GitHub for prices

import litellm


def call(server, key, file, task):
    shared = {"model": "openai/whisper-1", "api_base": f"{server}/v1", "api_key": key}
    with open(file, "rb") as stream:
        match task:
            case "json":
                return {"text": litellm.transcription(file=stream, **shared).text}
            case "words":
                found = litellm.transcription(
                    file=stream,
                    response_format="verbose_json",
                    timestamp_granularities=["word", "segment"],
                    **shared,
                )
                words = [[word["word"], word["start"], word["end"]] for word in found.words]
                return {"text": found.text, "words": words, "language": found.language, "duration": found.duration}
            case "srt":
                return {"text": litellm.transcription(file=stream, response_format="srt", **shared).text}
            case "stream":
                model = "openai/gpt-transcribe"
                events = list(litellm.transcription(file=stream, stream=True, **{**shared, "model": model}))
                return {"deltas": [event.delta for event in events[:-1]], "text": events[-1].text}
