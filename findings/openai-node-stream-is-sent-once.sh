#!/usr/bin/env bash
# openai 7.59.0 (the official Node client): a file that is given as fs.createReadStream(...), as its README recommends,
# is sent once. After a 429 or 503 the client does not try again, whatever maxRetries says, and its error does not say
# why.
# Expected: the retries that the README promises (two by default, for 429 and 5xx), or a warning that a stream cannot be
# sent again.
# Where: openai/client.js, `hasStreamingBody`; only the client's debug log has "streaming body cannot be retried".
# Seen, with maxRetries: 2 and a file of 200000 bytes: the stream makes one request, chunked, without content-length;
# the same bytes as a File or by toFile(buffer) make three, each with a content-length and the whole file.
# Remedy: give the bytes, `file: await toFile(await readFile(path), path)`, or call again with a new stream.
# Fails (exit 1) once that changes. It needs Node 20 or newer.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . openai@7.59.0
cat > try.mjs <<'JAVASCRIPT'
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import OpenAI, { toFile } from "openai";

const SIZE = 200_000;
writeFileSync("a.wav", Buffer.alloc(SIZE, 65));

async function requests(status, file) {
  const seen = [];
  const server = createServer(async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    seen.push({ whole: bytes > SIZE, length: "content-length" in request.headers });
    response.writeHead(status, { "retry-after-ms": "10" }).end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const baseURL = `http://127.0.0.1:${server.address().port}/v1`;
  const client = new OpenAI({ apiKey: "unused", baseURL, maxRetries: 2 });
  const call = client.audio.transcriptions.create({ model: "whisper-1", file });
  const error = await call.then(() => null, (error) => error);
  server.closeAllConnections();
  server.close();
  if (error?.status !== status) throw error;
  return seen;
}

let changed = false;
for (const status of [429, 503]) {
  for (const [name, file, wanted, length] of [
    ["fs.createReadStream(path)", createReadStream("a.wav"), 1, false],
    ["new File([bytes], path)", new File([readFileSync("a.wav")], "a.wav"), 3, true],
    ["await toFile(bytes, path)", await toFile(readFileSync("a.wav"), "a.wav"), 3, true],
  ]) {
    const seen = await requests(status, file);
    const whole = seen.filter((one) => one.whole).length;
    const how = seen.every((one) => one.length) ? "with content-length" : "chunked";
    console.log(`${status}, file: ${name}: requests ${seen.length}, with the whole file ${whole}, ${how}`);
    changed ||= seen.length !== wanted || whole !== wanted || seen.some((one) => one.length !== length);
  }
}
process.exit(changed ? 1 : 0);
JAVASCRIPT
node try.mjs
