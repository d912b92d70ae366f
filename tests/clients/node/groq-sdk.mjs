import { createReadStream } from "node:fs";
import Groq from "groq-sdk";

export async function call(server, key, file, task) {
  const { transcriptions, translations } = new Groq({ baseURL: server, apiKey: key }).audio;
  const params = { model: "whisper-1", file: createReadStream(file) };
  switch (task) {
    case "json": {
      const found = await transcriptions.create(params);
      return { text: found.text, id: found.x_groq.id };
    }
    case "words": {
      const found = await transcriptions.create({
        ...params,
        response_format: "verbose_json",
        timestamp_granularities: ["word", "segment"],
      });
      const words = found.words.map(({ word, start, end }) => [word, start, end]);
      return { text: found.text, words, language: found.language, duration: found.duration };
    }
    case "translation":
      return { text: (await translations.create(params)).text };
  }
}
