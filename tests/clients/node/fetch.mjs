import { readFile } from "node:fs/promises";

const FORMS = {
  json: [],
  words: [
    ["response_format", "verbose_json"],
    ["timestamp_granularities[]", "word"],
  ],
  srt: [["response_format", "srt"]],
  stream: [["stream", "true"]],
  translation: [],
};

export async function call(server, key, file, task) {
  const body = new FormData();
  body.append("file", new Blob([await readFile(file)], { type: "audio/wav" }), "speech.wav");
  body.append("model", "whisper-1");
  for (const [name, value] of FORMS[task]) body.append(name, value);
  const door = task === "translation" ? "translations" : "transcriptions";
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${server}/v1/audio/${door}`, { method: "POST", headers, body });
  if (!answer.ok) throw Object.assign(new Error(await answer.text()), { status: answer.status });
  switch (task) {
    case "words": {
      const found = await answer.json();
      const words = found.words.map(({ word, start, end }) => [word, start, end]);
      return { text: found.text, words, language: found.language, duration: found.duration };
    }
    case "srt":
      return { text: await answer.text() };
    case "stream": {
      const lines = (await answer.text()).split("\n").filter((line) => line.startsWith("data: {"));
      const events = lines.map((line) => JSON.parse(line.slice("data: ".length)));
      return { deltas: events.slice(0, -1).map(({ delta }) => delta), text: events.at(-1).text };
    }
    default:
      return { text: (await answer.json()).text };
  }
}
