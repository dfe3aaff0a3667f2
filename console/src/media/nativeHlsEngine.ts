/** HLS by the browser itself: for browsers without Media Source Extensions, and for codecs that only this way decodes. */

import type { Engine, EngineEvents, EngineOptions } from './engine';
import { headStatus } from './probe';

/** WebKit's: the EXT-X-PROGRAM-DATE-TIME of time 0. */
type DatedVideo = HTMLVideoElement & { getStartDate?(): Date };

/** The browser keeps its own distance; beyond this (after a sleep, say) it would not come back by itself. Seconds. */
const jumpBehind = 12;
/** Chromium refuses a playlist with too few segments as it refuses one that it cannot decode: asked again, it may take it. */
const loads = 3;
const reloadMillis = 2_000;

export class NativeHlsEngine implements Engine {
  readonly #video: DatedVideo;
  readonly #url: string;
  readonly #events: EngineEvents;
  readonly #ends = new AbortController();
  readonly bytes = undefined;
  readonly target = undefined;
  #loads = 1;
  #reload: ReturnType<typeof setTimeout> | undefined;
  lastBytesMillis = performance.now();

  constructor({ video, url, events }: EngineOptions) {
    this.#video = video;
    this.#url = url;
    this.#events = events;
    const on = (name: keyof HTMLMediaElementEventMap, act: () => void): void =>
      video.addEventListener(name, act, { signal: this.#ends.signal });
    on('progress', () => {
      this.lastBytesMillis = performance.now();
    });
    on('ended', () => events.onClosed());
    on('error', () => void this.#onError(video.error));
    video.src = url;
  }

  arrivalMicros(): number | undefined {
    const start = this.#video.getStartDate?.().getTime();
    // Without a date in the playlist it is an invalid one.
    return start === undefined || Number.isNaN(start) ? undefined : (start + this.#video.currentTime * 1000) * 1000;
  }

  follow(): void {
    if (this.#edge() - this.#video.currentTime > jumpBehind) this.toLive();
  }

  stalled(): void {
    void this.#askWhetherGone();
  }

  toLive(): void {
    const edge = this.#edge();
    if (Number.isFinite(edge) && edge > this.#video.currentTime) this.#video.currentTime = edge;
  }

  /** WebKit offers the choice in its own controls only. */
  chooseAudio(): void {}

  destroy(): void {
    this.#ends.abort();
    clearTimeout(this.#reload);
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  /** The newest position that the browser lets one go to: its own distance from the live edge is taken off already. */
  #edge(): number {
    const { seekable } = this.#video;
    return seekable.length === 0 ? 0 : seekable.end(seekable.length - 1);
  }

  /** Some browsers go on asking for the playlist of a stream that has ended, without a word. */
  async #askWhetherGone(): Promise<void> {
    const status = await headStatus(this.#url, this.#ends.signal);
    if (status === 404 && !this.#ends.signal.aborted) this.#events.onClosed();
  }

  async #onError(error: MediaError | null): Promise<void> {
    if (error?.code !== MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED) return this.#events.onFailed(error?.message ?? 'media error');
    // The same code stands for a playlist that is not there and for one that cannot be played.
    const status = await headStatus(this.#url, this.#ends.signal);
    if (this.#ends.signal.aborted) return;
    if (status < 200 || status > 299) this.#events.onStatus(status);
    else if (this.#loads === loads) this.#events.onUnsupported(undefined);
    else {
      this.#loads++;
      this.#reload = setTimeout(() => {
        this.#video.src = this.#url;
      }, reloadMillis);
    }
  }
}
