import { createReadStream } from "node:fs";
import OpenAI from "openai";

export async function call(server, key, file, task) {
  const { transcriptions, translations } = new OpenAI({ baseURL: `${server}/v1`, apiKey: key }).audio;
  const params = { model: "whisper-1", file: createReadStream(file) };
  switch (task) {
    case "json":
      return { text: (await transcriptions.create(params)).text };
    case "words": {
      const found = await transcriptions.create({
        ...params,
        response_format: "verbose_json",
        timestamp_granularities: ["word", "segment"],
      });
      const words = found.words.map(({ word, start, end }) => [word, start, end]);
      return { text: found.text, words, language: found.language, duration: found.duration };
    }
    case "srt":
      return { text: await transcriptions.create({ ...params, response_format: "srt" }) };
    case "stream": {
      const events = [];
      for await (const event of await transcriptions.create({ ...params, stream: true })) events.push(event);
      return { deltas: events.slice(0, -1).map(({ delta }) => delta), text: events.at(-1).text };
    }
    case "translation":
      return { text: (await translations.create(params)).text };
  }
}
