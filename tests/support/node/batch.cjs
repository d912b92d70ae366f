// Takes a batch through its whole life with OpenAI's client for Node, unmodified; prints what it found as JSON.
"use strict";

const { readFileSync } = require("node:fs");
const { basename } = require("node:path");

globalThis.File ??= require("node:buffer").File; // Node 18, which Debian 12 has, keeps it there
const { OpenAI, toFile } = require("openai");

const endpoint = "/v1/audio/transcriptions";

async function main(url, recording) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
  const audio = await client.files.create({
    file: await toFile(readFileSync(recording), basename(recording)),
    purpose: "user_data",
    expires_after: { anchor: "created_at", seconds: 3600 },
  });
  const ids = ["a", "b", "c"];
  const lines = [...ids.map((id) => [id, audio.id]), ["wrong", "file-1"]].map(([id, file_id]) =>
    JSON.stringify({ custom_id: id, method: "POST", url: endpoint, body: { model: "whisper-1", file_id } }),
  );
  const input = await client.files.create({ file: await toFile(Buffer.from(lines.join("\n")), "lines.jsonl"), purpose: "batch" });
  const created = await client.batches.create({
    input_file_id: input.id,
    endpoint,
    completion_window: "24h",
    metadata: { meeting: "7" },
    output_expires_after: { anchor: "created_at", seconds: 7200 },
  });
  let batch = created;
  while (!["completed", "failed", "expired", "cancelled"].includes(batch.status)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    batch = await client.batches.retrieve(batch.id);
  }
  const linesOf = async (id) => (await (await client.files.content(id)).text()).trim().split("\n").map((one) => JSON.parse(one));
  const cancelled = await client.batches.cancel(batch.id); // of one that has ended: as it ended
  const listed = [];
  for await (const one of client.batches.list({ limit: 1 })) listed.push(one.id);
  const files = [];
  for await (const one of client.files.list({ limit: 2, order: "asc" })) files.push(one.purpose);
  const deleted = await client.files.delete(audio.id);
  const gone = await client.files.retrieve(audio.id).catch((error) => error.constructor.name);
  console.log(
    JSON.stringify({
      created: created.status,
      status: batch.status,
      counts: batch.request_counts,
      metadata: batch.metadata,
      output: (await linesOf(batch.output_file_id)).map((one) => [one.custom_id, one.response.body.text]),
      errors: (await linesOf(batch.error_file_id)).map((one) => [one.custom_id, one.response.status_code]),
      cancelled: cancelled.status,
      listed: listed.length,
      files,
      deleted: deleted.deleted,
      gone,
    }),
  );
}

main(process.argv[2], process.argv[3]);
