// The request of the page, as a program of OpenAI's clients or of curl would send it.

const FORMATS = { words: "verbose_json", json: "verbose_json", text: "text", srt: "srt", vtt: "vtt" };

/** The text of the program `kind`: curl, python or node. The key is never in it. */
export function program(kind, { base, model, file, language, task, format }) {
  const route = task === "translate" ? "translations" : "transcriptions";
  const wanted = FORMATS[format];
  const words = wanted === "verbose_json" && route === "transcriptions";
  const spoken = route === "transcriptions" ? language : "";
  return { curl, python, node }[kind]({ base, model, file, spoken, route, wanted, words });
}

function curl({ base, model, file, spoken, route, wanted, words }) {
  const fields = [`file=@${file}`, `model=${model}`, `response_format=${wanted}`];
  if (spoken) fields.push(`language=${spoken}`);
  if (words) fields.push("timestamp_granularities[]=word", "timestamp_granularities[]=segment");
  const lines = fields.map((field) => `  -F ${quoted(field)}`);
  return [`curl ${quoted(`${base}/v1/audio/${route}`)}`, '  -H "Authorization: Bearer $API_KEY"', ...lines].join(" \\\n");
}

function python({ base, model, file, spoken, route, wanted, words }) {
  const more = [`model=${string(model)}`, "file=file", `response_format=${string(wanted)}`];
  if (spoken) more.push(`language=${string(spoken)}`);
  if (words) more.push('timestamp_granularities=["word", "segment"]');
  return `import os

from openai import OpenAI

client = OpenAI(base_url=${string(`${base}/v1`)}, api_key=os.environ.get("API_KEY", "none"))
with open(${string(file)}, "rb") as file:
    print(client.audio.${route}.create(${more.join(", ")}))`;
}

function node({ base, model, file, spoken, route, wanted, words }) {
  const more = [`file: fs.createReadStream(${string(file)})`, `model: ${string(model)}`, `response_format: ${string(wanted)}`];
  if (spoken) more.push(`language: ${string(spoken)}`);
  if (words) more.push('timestamp_granularities: ["word", "segment"]');
  return `import fs from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: ${string(`${base}/v1`)}, apiKey: process.env.API_KEY ?? "none" });
console.log(await client.audio.${route}.create({ ${more.join(", ")} }));`;
}

const string = (text) => JSON.stringify(text);
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
