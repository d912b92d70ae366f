import { readFile } from "node:fs/promises";
import { createGroq } from "@ai-sdk/groq";
import { experimental_transcribe as transcribe } from "ai";

const VERBOSE = { groq: { responseFormat: "verbose_json", timestampGranularities: ["word"] } };

export async function call(server, key, file, task) {
  const model = createGroq({ baseURL: `${server}/openai/v1`, apiKey: key }).transcription("whisper-1");
  const params = { model, audio: await readFile(file) };
  switch (task) {
    case "json":
      return { text: (await transcribe(params)).text };
    case "words": {
      const found = await transcribe({ ...params, providerOptions: VERBOSE });
      const words = found.segments.map(({ text, startSecond, endSecond }) => [text, startSecond, endSecond]);
      return { text: found.text, words, language: found.language, duration: found.durationInSeconds };
    }
  }
}
