/** What the viewer gets to see: whether the picture moves, stands or jumps, told by the video element. */

export interface ViewingEvents {
  onPlaying(): void;
  /** The buffer ran dry; not while the element seeks. */
  onWaiting(): void;
}

export class Viewing {
  readonly #video: HTMLVideoElement;
  #seeking = false;
  #lastTime = 0;
  /** Of the whole session. */
  stalls = 0;
  jumps = 0;
  /** This connection has shown a picture; it has found its place at the live edge. */
  shown = false;
  #settled = false;
  /** performance.now of the last movement, and of the last beginning of it. */
  movedMillis = 0;
  playingSince = 0;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  listen(events: ViewingEvents, signal: AbortSignal): void {
    const on = (name: keyof HTMLMediaElementEventMap, act: () => void): void => this.#video.addEventListener(name, act, { signal });
    on('playing', () => {
      this.#seeking = false;
      this.shown = true;
      this.movedMillis = this.playingSince = performance.now();
      events.onPlaying();
    });
    on('waiting', () => {
      if (!this.#seeking) events.onWaiting();
    });
    on('seeking', () => this.#onSeeking());
    on('seeked', () => {
      this.#seeking = false;
    });
    on('timeupdate', () => this.#onMoved());
  }

  /** @param onRefused The browser wants a tap first; other failures are told by the element's events. */
  play(onRefused: () => void): void {
    this.#video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') onRefused();
    });
  }

  /** A new connection. */
  begin(): void {
    this.shown = this.#seeking = false;
    this.#lastTime = 0;
    this.seekFreely();
  }

  /** The next seek is not a jump: the viewer begins, or goes on after a pause. */
  seekFreely(): void {
    this.#settled = false;
    this.movedMillis = performance.now();
  }

  /** It plays where it should. */
  settle(): void {
    this.#settled = true;
  }

  /** The page has no seek bar: whoever seeks is after the live edge. */
  #onSeeking(): void {
    this.#seeking = true;
    if (this.#settled) this.jumps++;
  }

  #onMoved(): void {
    if (this.#video.currentTime === this.#lastTime) return;
    this.#lastTime = this.#video.currentTime;
    this.movedMillis = performance.now();
  }
}
