import { readFile } from "node:fs/promises";
import { createOpenAI } from "@ai-sdk/openai";
import { experimental_transcribe as transcribe } from "ai";

export async function call(server, key, file, task) {
  const model = createOpenAI({ baseURL: `${server}/v1`, apiKey: key }).transcription("whisper-1");
  const params = { model, audio: await readFile(file) };
  switch (task) {
    case "json":
      return { text: (await transcribe(params)).text };
    case "words": {
      const found = await transcribe({ ...params, providerOptions: { openai: { timestampGranularities: ["word"] } } });
      const words = found.segments.map(({ text, startSecond, endSecond }) => [text, startSecond, endSecond]);
      return { text: found.text, words, language: found.language, duration: found.durationInSeconds };
    }
  }
}
