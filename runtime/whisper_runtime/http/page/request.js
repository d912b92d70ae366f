// One transcription: sends the recording, and gives each event of the answer as it comes.

export class Refused extends Error {
  /** `status`: of HTTP, 0 where no answer came; `retryAfter`: seconds, or null. */
  constructor(message, status, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Sends `fields` and the recording `file` to POST /transcribe as a stream; resolves with the last event's data.
 *
 * `onSent(share)`: how much of the upload has left, from 0 to 1. `onEvent(data)`: each event but the last. `signal`: ends
 * the request. Rejects with Refused, or with an AbortError. XMLHttpRequest, for fetch says nothing of an upload's progress.
 */
export function transcribe({ file, fields, key, onSent, onEvent, signal }) {
  return new Promise((resolve, reject) => {
    const events = new EventReader();
    let last = null;
    const take = () => {
      if (request.status !== 200) return;
      for (const data of events.read(request.responseText)) {
        if (data.error) reject(new Refused(data.error.message, 500));
        else if (data.type === "transcript.done") last = data;
        else onEvent(data);
      }
    };
    const request = opened({ path: "transcribe", key, onSent, signal, reject });
    request.onprogress = take;
    request.onload = () => {
      take();
      if (request.status !== 200) reject(refusal(request));
      else if (last) resolve(last);
      else reject(new Refused("The connection ended before the transcript did. Send the recording again.", 0));
    };
    request.send(form(file, fields));
  });
}

/** Sends the recording as a job to `path`, a route of OpenAI's; resolves once the service has taken it. Rejects as above. */
export function submit({ path, file, fields, key, onSent, signal }) {
  return new Promise((resolve, reject) => {
    const request = opened({ path, key, onSent, signal, reject });
    request.setRequestHeader("Prefer", "respond-async");
    request.onload = () => {
      if (request.status === 202) resolve();
      else reject(refusal(request));
    };
    request.send(form(file, fields));
  });
}

function opened({ path, key, onSent, signal, reject }) {
  const request = new XMLHttpRequest();
  request.open("POST", path);
  if (key) request.setRequestHeader("Authorization", `Bearer ${key}`);
  request.upload.onprogress = (event) => onSent(event.lengthComputable ? event.loaded / event.total : 0);
  request.onerror = () => reject(new Refused("The service cannot be reached. Look at your connection, and try again.", 0));
  request.onabort = () => reject(new DOMException("stopped", "AbortError"));
  signal.addEventListener("abort", () => request.abort());
  return request;
}

function form(file, fields) {
  const found = new FormData();
  for (const [name, value] of fields) found.append(name, value);
  found.append("file", file, file.name);
  return found;
}

function refusal(request) {
  const wait = Number.parseInt(request.getResponseHeader("Retry-After") ?? "", 10);
  let message = `The service answered ${request.status}.`;
  try {
    message = JSON.parse(request.responseText).error.message;
  } catch {
    // A proxy answered, with a page of its own.
  }
  return new Refused(message, request.status, Number.isNaN(wait) ? null : wait);
}

class EventReader {
  #from = 0;

  /** The data of the events in `text`, the whole answer so far, that have not been read before. */
  *read(text) {
    for (let end; (end = text.indexOf("\n\n", this.#from)) >= 0; this.#from = end + 2) {
      const event = text.slice(this.#from, end);
      if (event.startsWith("data: ")) yield JSON.parse(event.slice(6));
    }
  }
}
