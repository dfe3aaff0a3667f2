/** Applies catchUp to a video element. Lives as long as the session: a target once raised outlasts the connection. */

import { baseTarget, catchUp, raiseTarget, relaxTarget, type TimeRange } from './catchUp';

export class LiveEdge {
  readonly #video: HTMLVideoElement;
  #target = baseTarget;
  #starting = true;
  #calledMillis = performance.now();

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** Seconds of buffer to keep. */
  get target(): number {
    return this.#target;
  }

  /** A new connection, or the end of a pause: the next jump is free. */
  begin(): void {
    this.#starting = true;
  }

  stalled(): void {
    this.#target = raiseTarget(this.#target);
  }

  follow(): void {
    const video = this.#video;
    const now = performance.now();
    const calmSeconds = Math.min(1, (now - this.#calledMillis) / 1000);
    this.#calledMillis = now;
    const action = catchUp({
      currentTime: video.currentTime,
      buffered: bufferedRanges(video),
      rate: video.playbackRate,
      target: this.#target,
      starting: this.#starting,
    });
    if (action.seekTo !== undefined) video.currentTime = action.seekTo;
    if (video.playbackRate !== action.rate) video.playbackRate = action.rate;
    if (isMoving(video)) {
      this.#starting = false;
      this.#target = relaxTarget(this.#target, calmSeconds);
    }
  }
}

const isMoving = (video: HTMLVideoElement): boolean =>
  !video.paused && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && video.currentTime > 0;

const bufferedRanges = ({ buffered }: HTMLVideoElement): TimeRange[] =>
  Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)] as const);

/** Seconds from the picture to the newest media there is. */
export function secondsAhead({ buffered, currentTime }: HTMLVideoElement): number {
  return buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime;
}
