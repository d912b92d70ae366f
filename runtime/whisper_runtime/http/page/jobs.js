// The client's jobs on the page: the list with progress, and what may be done to each.

import { clock } from "./transcript.js";

const LIST = "v1/audio/transcriptions";
const AGAIN_MS = 2_000;
const RUNS = new Set(["queued", "in_progress"]);
const NAMES = {
  queued: "waits",
  in_progress: "is being transcribed",
  completed: "done",
  failed: "failed",
  cancelled: "cancelled",
  expired: "its result was deleted",
};

export class Jobs {
  #list;
  #note;
  #authorization;
  #onResult;
  #say;
  #timer = null;
  #rows = new Map();

  /**
   * `list`: the element of the rows; `note`: the element that says what the list does not; `authorization()`: headers;
   * `onResult(job, formats)`: is given a result, as JSON, srt and vtt; `say(text)`: tells it to whoever does not see.
   */
  constructor({ list, note, authorization, onResult, say }) {
    this.#list = list;
    this.#note = note;
    this.#authorization = authorization;
    this.#onResult = onResult;
    this.#say = say;
  }

  /** Shows the jobs, and follows those that have not ended until `stop`; why there are none to show, else an empty text. */
  async follow() {
    clearTimeout(this.#timer);
    const answer = await this.#ask(`${LIST}?limit=20`);
    if (answer === null) return this.#note.textContent;
    this.#show(answer.data);
    if (answer.data.some((job) => RUNS.has(job.status))) this.#timer = setTimeout(() => this.follow(), AGAIN_MS);
    return "";
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** The body of an answer; null, and the reason in the note, where it is a refusal. */
  async #ask(path, method = "GET") {
    let answer;
    try {
      answer = await fetch(path, { method, headers: this.#authorization() });
    } catch {
      this.#note.textContent = "The service cannot be reached. Look at your connection, and try again.";
      return null;
    }
    const isJson = answer.headers.get("content-type")?.startsWith("application/json");
    const body = isJson ? await answer.json() : await answer.text();
    if (answer.ok) return body;
    const isWithout = path.startsWith(`${LIST}?`) && [404, 405].includes(answer.status);
    this.#note.textContent = isWithout ? "This service keeps no jobs." : body.error?.message ?? `The service answered ${answer.status}.`;
    return null;
  }

  #show(jobs) {
    this.#note.textContent = jobs.length ? "" : "You have no jobs here.";
    for (const [id, row] of this.#rows) if (!jobs.some((job) => job.id === id)) this.#drop(id, row);
    for (const job of jobs) {
      const row = this.#rows.get(job.id) ?? this.#add(job);
      row.update(job);
    }
    // Newest first, as the service has them; a row that is in its place stays, and with it the focus.
    jobs.forEach((job, index) => {
      const row = this.#rows.get(job.id);
      if (this.#list.children[index] !== row.element) this.#list.insertBefore(row.element, this.#list.children[index] ?? null);
    });
  }

  #add(job) {
    const row = new Row(nameOf(job), {
      show: () => this.#result(job),
      cancel: () => this.#change(`${LIST}/${job.id}/cancel`, "POST", `${nameOf(job)} is cancelled`),
      remove: () => this.#change(`${LIST}/${job.id}`, "DELETE", `${nameOf(job)} is deleted`),
    });
    this.#rows.set(job.id, row);
    return row;
  }

  #drop(id, row) {
    row.element.remove();
    this.#rows.delete(id);
  }

  async #change(path, method, done) {
    if ((await this.#ask(path, method)) === null) return;
    this.#say(done);
    await this.follow();
  }

  async #result(job) {
    const formats = ["verbose_json", "srt", "vtt"];
    const found = await Promise.all(formats.map((one) => this.#ask(`${LIST}/${job.id}/content?response_format=${one}`)));
    if (found.includes(null)) return;
    const [json, srt, vtt] = found;
    this.#onResult(nameOf(job), { ...json, srt, vtt });
  }
}

/** The name of the file that was sent from here; else the id. */
function nameOf(job) {
  return job.metadata?.file ?? job.id;
}

class Row {
  #status = document.createElement("span");
  #bar = document.createElement("progress");
  #buttons = {};

  constructor(name, actions) {
    this.element = document.createElement("li");
    const title = document.createElement("strong");
    title.textContent = name;
    this.#status.className = "quiet";
    this.#bar.max = 1;
    this.#bar.setAttribute("aria-label", `Progress of ${name}`);
    const group = document.createElement("div");
    for (const [kind, label] of [["show", "Show"], ["cancel", "Cancel"], ["remove", "Delete"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-label", `${label} ${name}`);
      button.addEventListener("click", actions[kind]);
      this.#buttons[kind] = button;
      group.append(button);
    }
    this.element.append(title, this.#status, this.#bar, group);
  }

  update(job) {
    const runs = RUNS.has(job.status);
    this.#status.textContent = job.error ? `${NAMES[job.status]}: ${job.error.message}` : `${NAMES[job.status]}${progressOf(job)}`;
    this.#bar.hidden = !runs;
    if (runs) this.#bar.value = shareOf(job);
    this.#buttons.show.hidden = job.status !== "completed";
    this.#buttons.cancel.hidden = !runs;
    this.#buttons.remove.hidden = runs;
  }
}

function shareOf({ progress }) {
  return progress?.total_seconds ? Math.min(1, progress.done_seconds / progress.total_seconds) : 0;
}

function progressOf({ status, progress }) {
  if (!RUNS.has(status) || !progress) return "";
  const before = progress.queue_position ? `, ${progress.queue_position} before it` : "";
  const left = progress.eta_seconds === null ? "" : `, ${clock(progress.eta_seconds)} left`;
  return `${before}: ${clock(progress.done_seconds)} of ${clock(progress.total_seconds)}${left}`;
}
