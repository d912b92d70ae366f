// Makes calls with OpenAI's client for Node: each line of standard input is one, and what came of it is one line of JSON.
"use strict";

const { readFileSync } = require("node:fs");
const { basename } = require("node:path");
const { createInterface } = require("node:readline");

globalThis.File ??= require("node:buffer").File; // Node 18, which Debian 12 has, keeps it there
const { OpenAI, toFile } = require("openai");

const operations = {
  transcribe: (client, params) => client.audio.transcriptions.create(params),
  translate: (client, params) => client.audio.translations.create(params),
  models: async (client) => ({ data: (await client.models.list()).data }),
  model: (client, { id }) => client.models.retrieve(id),
};

async function made({ url, key, operation, file, params }) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
  const events = [];
  try {
    // Bytes, not a stream: the client asks again only where it can send the same body twice.
    const upload = file ? { file: await toFile(readFileSync(file), basename(file)) } : {};
    const value = await operations[operation](client, { ...params, ...upload });
    if (!params.stream) return { value };
    for await (const event of value) events.push(event);
    return { events };
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const { status, code, param, type } = error;
    return { events, error: { status, code, param, type, message: error.error?.message } };
  }
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await made(JSON.parse(line))));
  }
}

main();
