// The transcript on the page: a line for each segment, a mark for each word, and the words that are being played.

export class Transcript {
  #list;
  #play;
  #words = [];
  #now = null;

  /** `list`: the element of the lines; `play(seconds)`: plays the recording from there. */
  constructor(list, play) {
    this.#list = list;
    this.#play = play;
    list.addEventListener("click", (event) => {
      const at = event.target.closest("[data-start]");
      if (at) this.#play(Number(at.dataset.start));
    });
  }

  clear() {
    this.#list.replaceChildren();
    this.#words = [];
    this.#now = null;
  }

  /** Adds the lines of `segments`; `words`: theirs, in order, each with its start; none where the times are not known. */
  add(segments, words = []) {
    let next = 0;
    segments.forEach((segment, index) => {
      const isLast = index === segments.length - 1;
      const its = [];
      while (next < words.length && (isLast || words[next].start < segment.end)) its.push(words[next++]);
      this.#list.append(this.#line(segment, its));
    });
  }

  /** Marks the word that is spoken at `seconds`. */
  follow(seconds) {
    const at = this.#words.findLast((one) => Number(one.dataset.start) <= seconds) ?? null;
    if (at === this.#now) return;
    this.#now?.classList.remove("now");
    at?.classList.add("now");
    this.#now = at;
  }

  #line(segment, words) {
    const line = document.createElement("li");
    const play = document.createElement("button");
    play.type = "button";
    play.dataset.start = segment.start;
    play.textContent = clock(segment.start);
    play.setAttribute("aria-label", `Play from ${clock(segment.start)}`);
    const text = document.createElement("span");
    if (words.length) {
      for (const word of marked(segment.text, words)) {
        if (word.dataset) this.#words.push(word);
        text.append(word);
      }
    } else {
      text.textContent = segment.text.trim();
    }
    line.append(play, text);
    return line;
  }
}

/** `text` as nodes, in which each of `words` that is found is an element. */
function marked(text, words) {
  const nodes = [];
  let from = text.length - text.trimStart().length;
  for (const { word, start } of words) {
    const at = text.indexOf(word, from);
    if (at < 0) continue;
    if (at > from) nodes.push(document.createTextNode(text.slice(from, at)));
    const mark = document.createElement("span");
    mark.dataset.start = start;
    mark.textContent = word;
    nodes.push(mark);
    from = at + word.length;
  }
  nodes.push(document.createTextNode(text.slice(from).trimEnd()));
  return nodes;
}

/** Seconds as 1:02:03, or 2:03. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] ? parts : parts.slice(1)).map((one, index) => (index ? String(one).padStart(2, "0") : one)).join(":");
}
