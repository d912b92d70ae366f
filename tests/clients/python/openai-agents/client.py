import asyncio
import wave

import numpy
import openai
from agents import set_tracing_disabled
from agents.voice import AudioInput, OpenAISTTModel, STTModelSettings


def call(server, key, file, task):
    set_tracing_disabled(True)  # else it sends its traces to OpenAI
    with wave.open(file) as recording:
        samples = numpy.frombuffer(recording.readframes(recording.getnframes()), numpy.int16)
        audio = AudioInput(buffer=samples, frame_rate=recording.getframerate())
    model = OpenAISTTModel("whisper-1", openai.AsyncOpenAI(base_url=f"{server}/v1", api_key=key))
    return {"text": asyncio.run(model.transcribe(audio, STTModelSettings(), False, False))}
