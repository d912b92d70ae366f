// The page: what its elements do.

import { program } from "./programs.js";
import { Recorder } from "./recorder.js";
import { Jobs } from "./jobs.js";
import { Refused, submit, transcribe } from "./request.js";
import { Transcript } from "./transcript.js";

const by = (id) => document.getElementById(id);
const KEY = "key";

const recorder = new Recorder();
const transcript = new Transcript(by("segments"), play);
const jobs = new Jobs({
  list: by("job-list"),
  note: by("jobs-note"),
  authorization,
  onResult: (name, answer) => {
    begun(name);
    page.answer = answer;
    transcript.add(answer.segments, answer.words);
    by("result").hidden = false;
    by("result").scrollIntoView();
    say(`The transcript of ${name}`);
  },
  say,
});
const page = { file: null, name: "", answer: null, format: "words", program: "curl", model: "whisper-1", running: null };

/** The recording of the transcript, if that is the one that was chosen here: a job's may be gone. */
async function play(seconds) {
  if (page.file?.name !== page.name) {
    complain(`To hear it, choose ${page.name} above.`);
    return;
  }
  by("player").currentTime = seconds;
  try {
    await by("player").play();
  } catch {
    complain("This browser cannot play the recording. It can be transcribed all the same.");
  }
}

function take(file) {
  page.file = file;
  URL.revokeObjectURL(by("player").src);
  by("player").src = URL.createObjectURL(file);
  by("player").hidden = false;
  by("chosen").textContent = `${file.name}, ${size(file.size)}`;
  by("send").disabled = false;
  showProgram();
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function say(text) {
  by("state").textContent = text;
}

function complain(message) {
  by("problem").textContent = message;
  by("problem").hidden = !message;
}

async function toggleRecording() {
  complain("");
  if (recorder.isRecording) {
    recorder.stop();
    return;
  }
  try {
    await recorder.start((file) => {
      by("record").textContent = "Record";
      by("record").setAttribute("aria-pressed", "false");
      take(file);
      say("Recorded");
    });
  } catch (error) {
    complain(`The microphone cannot be used: ${error.message}`);
    return;
  }
  by("record").textContent = "Stop recording";
  by("record").setAttribute("aria-pressed", "true");
  say("Recording");
}

function fields() {
  const found = [["stream", "true"], ["formats[]", "srt"], ["formats[]", "vtt"]];
  if (by("task").value === "translate") found.push(["task", "translate"]);
  else found.push(["timestamp_granularities[]", "word"]);
  const language = by("language").value.trim();
  if (language) found.push(["language", language]);
  return found;
}

async function send(event) {
  event.preventDefault();
  if (!page.file || page.running) return;
  page.running = new AbortController();
  begin();
  const request = { file: page.file, key: by("key").value, onSent: showSent, signal: page.running.signal };
  try {
    if (by("later").checked) await sendJob(request);
    else await sendNow(request);
  } catch (error) {
    fail(error);
  } finally {
    page.running = null;
    by("progress").hidden = true;
    by("stop").hidden = true;
    by("send").disabled = false;
  }
}

async function sendNow(request) {
  const onEvent = (data) => {
    by("result").hidden = false;
    transcript.add(data.segments, data.words);
  };
  page.answer = await transcribe({ ...request, fields: fields(), onEvent });
  finish();
}

async function sendJob(request) {
  const isTranslation = by("task").value === "translate";
  const own = fields().filter(([name]) => !["stream", "formats[]", "task"].includes(name));
  const problem = await jobs.follow(); // before the upload: a service that keeps none would answer it as any request
  if (problem) throw new Refused(problem, 0);
  await submit({
    ...request,
    path: `v1/audio/${isTranslation ? "translations" : "transcriptions"}`,
    fields: [
      ["model", page.model],
      ["response_format", "verbose_json"],
      ...(isTranslation ? [] : [...own, ["timestamp_granularities[]", "segment"]]),
      ["metadata[file]", page.file.name],
    ],
  });
  say("The job is accepted");
  if (by("jobs").open) await jobs.follow();
  else by("jobs").open = true;
}

function authorization() {
  const key = by("key").value;
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Makes room for the transcript of the recording of that name. */
function begun(name) {
  complain("");
  page.name = name;
  page.answer = null;
  transcript.clear();
  show("words");
}

function begin() {
  begun(page.file.name);
  by("result").hidden = true;
  by("send").disabled = true;
  by("stop").hidden = false;
  by("progress").hidden = false;
  showSent(0);
  say("Sending");
}

function showSent(share) {
  by("stage").textContent = share < 1 ? "Sending" : "Transcribing";
  if (share < 1) by("bar").value = share;
  else by("bar").removeAttribute("value");
}

function finish() {
  transcript.clear();
  transcript.add(page.answer.segments, page.answer.words);
  by("result").hidden = false;
  if (page.answer.text) say("The transcript is complete");
  else complain("No speech was found in this recording.");
  showModel();
}

function fail(error) {
  if (error.name === "AbortError") {
    say("Stopped");
    return;
  }
  if (!(error instanceof Refused)) throw error;
  complain(error.retryAfter ? `${error.message} Try again in ${error.retryAfter} seconds.` : error.message);
  if (error.status === 401) by("key").focus();
}

function written(format) {
  if (!page.answer) return "";
  const { srt, vtt, type, ...rest } = page.answer;
  return { text: `${rest.text}\n`, srt, vtt, json: `${JSON.stringify(rest, null, 2)}\n`, words: `${rest.text}\n` }[format];
}

function show(format) {
  page.format = format;
  press(by("formats"), "format", format);
  by("segments").hidden = format !== "words";
  by("written").hidden = format === "words";
  by("written").textContent = written(format);
  showProgram();
}

function press(group, name, chosen) {
  for (const one of group.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset[name] === chosen));
}

function download() {
  const kind = page.format === "words" ? "text" : page.format;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([written(kind)], { type: kind === "json" ? "application/json" : "text/plain" }));
  link.download = `${page.name.replace(/\.[^.]*$/, "")}.${kind === "text" ? "txt" : kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function copy() {
  await navigator.clipboard.writeText(written(page.format));
  say("Copied");
}

function showProgram() {
  press(by("programs"), "program", page.program);
  by("code").textContent = program(page.program, {
    base: new URL(".", location.href).href.replace(/\/$/, ""),
    model: page.model,
    file: page.file?.name ?? "recording.wav",
    language: by("language").value.trim(),
    task: by("task").value,
    format: page.format,
  });
}

/** Shows the model's own name. After an answer, for at a service without pods the question alone would start one. */
async function showModel() {
  const answer = await fetch("v1/models", { headers: authorization() });
  if (!answer.ok) return;
  page.model = (await answer.json()).data[0].id;
  by("model").textContent = `Whisper, ${page.model}`;
  showProgram();
}

function dropped(event) {
  event.preventDefault();
  by("drop").classList.remove("over");
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
}

by("key").value = sessionStorage.getItem(KEY) ?? "";
by("key").addEventListener("change", () => {
  sessionStorage.setItem(KEY, by("key").value);
});
by("file").addEventListener("change", () => by("file").files.length && take(by("file").files[0]));
by("record").disabled = !Recorder.isPossible;
by("record").title = Recorder.isPossible ? "" : "Browsers give the microphone to pages of https and of localhost alone";
by("record").addEventListener("click", toggleRecording);
by("form").addEventListener("submit", send);
by("stop").addEventListener("click", () => page.running?.abort());
by("player").addEventListener("timeupdate", () => transcript.follow(by("player").currentTime));
by("formats").addEventListener("click", (event) => event.target.dataset.format && show(event.target.dataset.format));
by("programs").addEventListener("click", (event) => {
  page.program = event.target.dataset.program ?? page.program;
  showProgram();
});
for (const id of ["language", "task"]) by(id).addEventListener("input", showProgram);
by("jobs").addEventListener("toggle", () => (by("jobs").open ? jobs.follow() : jobs.stop()));
by("copy").addEventListener("click", copy);
by("download").addEventListener("click", download);
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    by("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", () => by("drop").classList.remove("over"));
document.addEventListener("drop", dropped);
showProgram();
