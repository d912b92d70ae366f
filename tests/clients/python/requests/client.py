import json

import requests


def call(server, key, file, task):
    form = {
        "json": {},
        "words": {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]},
        "srt": {"response_format": "srt"},
        "stream": {"stream": "true"},
        "translation": {},
    }[task]
    door = "translations" if task == "translation" else "transcriptions"
    with open(file, "rb") as stream:
        answer = requests.post(
            f"{server}/v1/audio/{door}",
            headers={"Authorization": f"Bearer {key}"},
            files={"file": ("speech.wav", stream, "audio/wav")},
            data={"model": "whisper-1", **form},
            stream=task == "stream",
            timeout=300,
        )
    answer.raise_for_status()
    match task:
        case "words":
            found = answer.json()
            words = [[word["word"], word["start"], word["end"]] for word in found["words"]]
            return {"text": found["text"], "words": words, "language": found["language"], "duration": found["duration"]}
        case "srt":
            return {"text": answer.text}
        case "stream":
            lines = [line.removeprefix(b"data: ") for line in answer.iter_lines() if line.startswith(b"data: ")]
            events = [json.loads(line) for line in lines if line != b"[DONE]"]
            return {"deltas": [event["delta"] for event in events[:-1]], "text": events[-1]["text"]}
        case _:
            return {"text": answer.json()["text"]}
