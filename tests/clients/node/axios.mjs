import { createReadStream } from "node:fs";
import axios from "axios";
import FormData from "form-data";

export async function call(server, key, file, task) {
  const form = new FormData();
  form.append("file", createReadStream(file));
  form.append("model", "whisper-1");
  if (task === "words") {
    form.append("response_format", "verbose_json");
    form.append("timestamp_granularities[]", "word");
  }
  if (task === "srt") form.append("response_format", "srt");
  const door = task === "translation" ? "translations" : "transcriptions";
  const headers = { ...form.getHeaders(), Authorization: `Bearer ${key}` };
  const { data } = await axios.post(`${server}/v1/audio/${door}`, form, { headers });
  switch (task) {
    case "words": {
      const words = data.words.map(({ word, start, end }) => [word, start, end]);
      return { text: data.text, words, language: data.language, duration: data.duration };
    }
    case "srt":
      return { text: data };
    default:
      return { text: data.text };
  }
}
