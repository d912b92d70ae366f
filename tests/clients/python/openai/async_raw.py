import asyncio

import openai


def call(server, key, file, task):
    return asyncio.run(_call(openai.AsyncOpenAI(base_url=f"{server}/v1", api_key=key).audio, file, task))


async def _call(audio, file, task):
    with open(file, "rb") as stream:
        shared = {"model": "whisper-1", "file": stream}
        match task:
            case "json":
                raw = await audio.transcriptions.with_raw_response.create(**shared)
                return {"text": raw.parse().text}
            case "words":
                raw = await audio.transcriptions.with_raw_response.create(
                    response_format="verbose_json", timestamp_granularities=["word", "segment"], **shared
                )
                found = raw.parse()
                words = [[word.word, word.start, word.end] for word in found.words]
                return {"text": found.text, "words": words, "language": found.language, "duration": found.duration}
            case "srt":
                streamed = audio.transcriptions.with_streaming_response.create(response_format="srt", **shared)
                async with streamed as response:
                    return {"text": "".join([piece async for piece in response.iter_text()])}
            case "stream":
                events = [event async for event in await audio.transcriptions.create(stream=True, **shared)]
                return {"deltas": [event.delta for event in events[:-1]], "text": events[-1].text}
            case "translation":
                return {"text": (await audio.translations.with_raw_response.create(**shared)).parse().text}
