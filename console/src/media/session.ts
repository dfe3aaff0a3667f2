/** A viewer's session with one stream: owns the connection, the timers and the state that the page renders. */

import mpegts from 'mpegts.js';
import { flvUrl, resolve, type Address, type Transport, type Wanted } from './address';
import { baseTarget, catchUp, raiseTarget, relaxTarget, type TimeRange } from './catchUp';
import { ServerClock } from './clock';
import type { Codec } from './codecs';
import { Engine } from './engine';
import { initialState, isConnected, isPolling, pollDelay, reduce, type PlayerEvent, type PlayerState } from './machine';
import { latencySeconds } from './timeline';
import { fetchStreams } from '../shared/streams';

/** What the page shows, renewed four times a second. */
export interface Snapshot {
  readonly state: PlayerState;
  /** Behind the moment of arrival at the server, in seconds; undefined until it is known. */
  readonly latency: number | undefined;
  /** False while the server's clock is only estimated. */
  readonly latencyExact: boolean;
  readonly buffer: number;
  readonly rate: number;
  readonly target: number;
  readonly stalls: number;
  readonly jumps: number;
  readonly droppedFrames: number;
  readonly decodedFrames: number;
  readonly kilobits: number;
  readonly width: number;
  readonly height: number;
  readonly videoCodec: string | undefined;
  readonly audioCodec: string | undefined;
  readonly timeline: string;
  readonly era: number;
}

export interface SessionOptions {
  readonly video: HTMLVideoElement;
  readonly wanted: Wanted;
  readonly transport: Transport;
  readonly params: string;
}

const tickMillis = 250;
const steadyMillis = 5_000;
/** No bytes for so long, while some should come: the connection is dead (sleep, roaming). */
const silenceMillis = 20_000;
/** Bytes come but the picture does not move: start over. */
const stuckMillis = 8_000;
/** A paused viewer keeps his connection for so long. */
const pauseMillis = 30_000;
const probeTimeoutMillis = 5_000;
const maxDrainMillis = 2_500;

export class Session {
  readonly #options: SessionOptions;
  readonly #video: HTMLVideoElement;
  readonly #clock = new ServerClock();
  readonly #listeners = new Set<() => void>();
  readonly #ends = new AbortController();
  #state = initialState;
  #engine: Engine | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #drain: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #snapshot: Snapshot;

  #target = baseTarget;
  #stalls = 0;
  #jumps = 0;
  #started = false;
  #selfSeek = false;
  #movedMillis = 0;
  #lastTime = 0;
  #playingSince = 0;
  #pausedSince = 0;
  #codecs: { video?: Codec; audio?: Codec } = {};
  #rateBytes = 0;
  #rateMillis = 0;
  #kilobits = 0;
  #timeline = '';
  #era = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#video = options.video;
    this.#snapshot = this.#measure();
  }

  start(): void {
    const on = (name: keyof HTMLMediaElementEventMap, act: () => void): void =>
      this.#video.addEventListener(name, act, { signal: this.#ends.signal });
    on('playing', () => this.#onPlaying());
    on('waiting', () => this.#onWaiting());
    on('seeked', () => {
      this.#selfSeek = false;
    });
    on('timeupdate', () => this.#onMoved());
    document.addEventListener('visibilitychange', () => this.#tick(), { signal: this.#ends.signal });

    if (!mpegts.getFeatureList().mseLivePlayback) {
      this.#dispatch({ type: 'unsupported', codec: 'It has no Media Source Extensions.' });
      return;
    }
    this.#clock.start();
    this.#ticker = setInterval(() => this.#tick(), tickMillis);
    void this.#connect();
  }

  stop(): void {
    this.#ends.abort();
    this.#clock.stop();
    clearInterval(this.#ticker);
    clearTimeout(this.#poll);
    clearTimeout(this.#drain);
    this.#disconnect();
    this.#listeners.clear();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): Snapshot => this.#snapshot;

  retry(): void {
    this.#dispatch({ type: 'retry' });
  }

  togglePause(): void {
    if (this.#state.phase === 'playing' || this.#state.phase === 'stalled') {
      this.#pausedSince = performance.now();
      this.#video.pause();
      this.#dispatch({ type: 'pause' });
    } else if (this.#state.phase === 'paused' || this.#state.phase === 'blocked') {
      if (this.#engine === undefined) this.#dispatch({ type: 'retry' });
      else {
        this.#started = false; // go to the live edge
        this.#dispatch({ type: 'resume' });
        this.#play();
      }
    }
  }

  #dispatch(event: PlayerEvent): void {
    if (this.#ends.signal.aborted) return;
    const before = this.#state;
    const after = reduce(before, event);
    this.#state = after;
    if (after.run !== before.run) void this.#connect();
    else if (!isConnected(after.phase)) this.#disconnect();
    // Each answer of a probe asks for the next one; other events only when they begin the polling.
    clearTimeout(this.#poll);
    if (isPolling(after.phase)) this.#poll = setTimeout(() => void this.#probe(), pollDelay(after.phase, after.attempt, Math.random()));
    this.#publish();
  }

  async #address(): Promise<Address> {
    if (this.#options.wanted.app !== undefined) return resolve(this.#options.wanted, undefined);
    const list = await fetchStreams(this.#ends.signal);
    return resolve(this.#options.wanted, list.kind === 'list' ? list.streams : undefined);
  }

  async #probe(): Promise<void> {
    this.#dispatch({ type: 'probed', status: await this.#status() });
  }

  async #status(): Promise<number> {
    try {
      const url = flvUrl(await this.#address(), 'http', location.origin, this.#options.params);
      const signal = AbortSignal.any([this.#ends.signal, AbortSignal.timeout(probeTimeoutMillis)]);
      return (await fetch(url, { method: 'HEAD', cache: 'no-store', signal })).status;
    } catch {
      return 0;
    }
  }

  async #connect(): Promise<void> {
    this.#disconnect();
    const run = this.#state.run;
    const address = await this.#address();
    // A WebSocket that is refused does not say why: ask first.
    if (this.#options.transport === 'ws') {
      const status = await this.#status();
      if (this.#isStale(run)) return;
      if (status !== 200 && status !== 405 && status !== 501) return this.#dispatch({ type: 'probed', status });
    }
    if (this.#isStale(run)) return;

    this.#started = false;
    this.#movedMillis = performance.now();
    this.#lastTime = 0;
    this.#rateBytes = this.#rateMillis = this.#kilobits = 0;
    this.#codecs = {};
    const current = (act: () => void) => (): void => {
      if (!this.#isStale(run)) act();
    };
    this.#engine = new Engine(this.#video, flvUrl(address, this.#options.transport, location.origin, this.#options.params), {
      // mpegts.js passes its events on in promises: destroyed within one of its calls, it would trip over itself.
      onStatus: (status) => {
        if (status < 200 || status > 299) setTimeout(current(() => this.#dispatch({ type: 'probed', status })));
      },
      onCodec: (codec) => this.#onCodec(codec, run),
      onTimeline: (tag) => {
        this.#timeline = tag.timeline;
        this.#era = tag.era;
        if (tag.serverMicros !== undefined) this.#clock.hint(tag.serverMicros);
      },
      onClosed: current(() => this.#onClosed(run)),
      onFailed: (reason) => setTimeout(current(() => this.#onFailed(reason))),
    });
    this.#play();
  }

  #isStale = (run: number): boolean => this.#ends.signal.aborted || run !== this.#state.run;

  #disconnect(): void {
    clearTimeout(this.#drain);
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  #play(): void {
    const run = this.#state.run;
    this.#video.play().catch((error: unknown) => {
      const refused = error instanceof DOMException && error.name === 'NotAllowedError';
      if (refused && !this.#isStale(run)) this.#dispatch({ type: 'blocked' });
    });
  }

  #onCodec(codec: Codec, run: number): void {
    this.#codecs = { ...this.#codecs, [codec.kind]: codec };
    if (codec.mime !== undefined && isPlayable(codec.mime)) return;
    setTimeout(() => {
      if (!this.#isStale(run)) this.#dispatch({ type: 'unsupported', codec: unsupportedText(codec) });
    });
  }

  /** Shows what is left in the buffer before the page says that the stream has ended. */
  #onClosed(run: number): void {
    const left = this.#ahead() * 1000;
    this.#drain = setTimeout(() => {
      if (!this.#isStale(run)) this.#dispatch({ type: 'closed' });
    }, this.#state.phase === 'playing' ? Math.min(maxDrainMillis, Math.max(0, left)) : 0);
  }

  #onFailed(reason: string): void {
    console.info(`millrace: ${reason}`);
    this.#dispatch({ type: 'failed' });
  }

  #onPlaying(): void {
    this.#selfSeek = false;
    this.#movedMillis = this.#playingSince = performance.now();
    this.#dispatch({ type: 'playing' });
  }

  #onWaiting(): void {
    if (this.#selfSeek || this.#state.phase !== 'playing') return;
    this.#stalls++;
    this.#target = raiseTarget(this.#target);
    this.#dispatch({ type: 'stalled' });
  }

  #onMoved(): void {
    if (this.#video.currentTime === this.#lastTime) return;
    this.#lastTime = this.#video.currentTime;
    this.#movedMillis = performance.now();
  }

  #buffered(): TimeRange[] {
    const { buffered } = this.#video;
    return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)] as const);
  }

  #ahead(): number {
    const end = this.#buffered().at(-1)?.[1];
    return end === undefined ? 0 : end - this.#video.currentTime;
  }

  #tick(): void {
    const now = performance.now();
    if (this.#engine !== undefined) {
      this.#follow();
      this.#watch(now);
      this.#countBytes(now);
    }
    this.#publish();
  }

  #follow(): void {
    const { phase } = this.#state;
    if (phase === 'paused' || phase === 'blocked' || this.#video.seeking) return;
    const action = catchUp({
      currentTime: this.#video.currentTime,
      buffered: this.#buffered(),
      rate: this.#video.playbackRate,
      target: this.#target,
      starting: !this.#started,
    });
    if (action.seekTo !== undefined) {
      this.#selfSeek = true;
      if (this.#started) this.#jumps++;
      this.#video.currentTime = action.seekTo;
    }
    if (this.#video.playbackRate !== action.rate) this.#video.playbackRate = action.rate;
    if (phase === 'playing' && this.#video.currentTime > 0) {
      this.#started = true;
      this.#target = relaxTarget(this.#target, tickMillis / 1000);
    }
  }

  #watch(now: number): void {
    const { phase } = this.#state;
    if (phase === 'playing' && now - this.#playingSince > steadyMillis) {
      if (this.#state.attempt > 0) this.#dispatch({ type: 'steady' });
    }
    if (phase === 'paused') {
      if (now - this.#pausedSince > pauseMillis) this.#disconnect();
      return;
    }
    if (phase === 'blocked' || this.#engine === undefined) return;
    const silent = now - this.#engine.lastBytesMillis > silenceMillis;
    const stuck = this.#engine.bytes > 0 && this.#ahead() > 1 && now - this.#movedMillis > stuckMillis && !document.hidden;
    if (silent || stuck) this.#onFailed(silent ? 'no data' : 'picture does not move');
  }

  #countBytes(now: number): void {
    const elapsed = now - this.#rateMillis;
    if (this.#engine === undefined || elapsed < 1000) return;
    if (this.#rateMillis > 0) this.#kilobits = ((this.#engine.bytes - this.#rateBytes) * 8) / elapsed;
    this.#rateBytes = this.#engine.bytes;
    this.#rateMillis = now;
  }

  #publish(): void {
    this.#snapshot = this.#measure();
    for (const listener of this.#listeners) listener();
  }

  #latency(): number | undefined {
    const { phase } = this.#state;
    if (phase !== 'playing' && phase !== 'stalled') return undefined;
    const media = this.#engine?.mediaMillis();
    const now = this.#clock.nowMicros();
    const tag = media === undefined ? undefined : this.#engine?.timelineTag(media);
    return media === undefined || now === undefined || tag === undefined ? undefined : latencySeconds(now, tag, media);
  }

  #measure(): Snapshot {
    const quality = this.#video.getVideoPlaybackQuality();
    return {
      state: this.#state,
      latency: this.#latency(),
      latencyExact: this.#clock.exact,
      buffer: this.#ahead(),
      rate: this.#video.playbackRate,
      target: this.#target,
      stalls: this.#stalls,
      jumps: this.#jumps,
      droppedFrames: quality.droppedVideoFrames,
      decodedFrames: quality.totalVideoFrames,
      kilobits: this.#kilobits,
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
      videoCodec: this.#codecs.video?.label,
      audioCodec: this.#codecs.audio?.label,
      timeline: this.#timeline,
      era: this.#era,
    };
  }
}

function isPlayable(mime: string): boolean {
  const source = (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource ?? globalThis.MediaSource;
  return source.isTypeSupported(mime);
}

const unsupportedText = (codec: Codec): string =>
  codec.mime === undefined
    ? `Its ${codec.kind} is ${codec.label}, which this page cannot play.`
    : `Its ${codec.kind} is ${codec.label}, for which this browser has no decoder.`;
