import os

import speech_recognition


def call(server, key, file, task):
    os.environ.update(OPENAI_BASE_URL=f"{server}/v1", OPENAI_API_KEY=key)
    recording = speech_recognition.AudioData.from_file(file)
    return {"text": speech_recognition.Recognizer().recognize_openai(recording)}
