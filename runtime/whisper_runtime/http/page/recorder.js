// Records from the microphone.

export class Recorder {
  #recorder = null;

  /** Whether this page may ask for the microphone: browsers let pages of https and of localhost. */
  static get isPossible() {
    return Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);
  }

  get isRecording() {
    return this.#recorder !== null;
  }

  /** Starts; `onEnd(file)` gets the recording. Rejects where the microphone is not given. */
  async start(onEnd) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const recorder = new MediaRecorder(stream);
    const pieces = [];
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      this.#recorder = null;
      const type = recorder.mimeType.split(";")[0];
      onEnd(new File(pieces, `recording.${type.split("/")[1]}`, { type }));
    };
    recorder.start();
    this.#recorder = recorder;
  }

  stop() {
    this.#recorder?.stop();
  }
}
