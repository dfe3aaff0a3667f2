/** A viewer's session with one stream: owns the connection, the timers and the state that the page renders. */

import { detectAbilities } from './abilities';
import { mediaUrl, probeUrl, type Wanted } from './address';
import { ServerClock } from './clock';
import type { Codec } from './codecs';
import { loadEngine, type AudioTrack, type Engine, type EngineEvents } from './engine';
import { LiveEdge, secondsAhead } from './liveEdge';
import { initialState, isConnected, isPolling, pollDelay, reduce, type PlayerEvent, type PlayerState } from './machine';
import { findAddress, headStatus } from './probe';
import { latencySeconds } from './timeline';
import { beginTrial, candidates, isBlocked, ruleOut, strike, type Abilities, type Choice, type Reason, type Transport, type Trial } from './transport';

/** What the page shows, renewed four times a second. */
export interface Snapshot {
  readonly state: PlayerState;
  readonly choice: Choice;
  /** The way in use, or undefined when none is left to try. */
  readonly transport: Transport | undefined;
  readonly abilities: Abilities;
  readonly audioTracks: readonly AudioTrack[];
  readonly audioTrack: number;
  /** Behind the moment of arrival at the server, in seconds; undefined until it is known. */
  readonly latency: number | undefined;
  /** False while the server's clock is only estimated. */
  readonly latencyExact: boolean;
  readonly buffer: number;
  readonly rate: number;
  /** Seconds of buffer that are wanted; undefined where the browser decides. */
  readonly target: number | undefined;
  readonly stalls: number;
  readonly jumps: number;
  readonly droppedFrames: number;
  readonly decodedFrames: number;
  /** Undefined where the browser does not tell. */
  readonly kilobits: number | undefined;
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
  readonly choice: Choice;
  readonly params: string;
}

const tickMillis = 250;
const steadyMillis = 5_000;
/** No bytes for so long, while some should come: the connection is dead (sleep, roaming). */
const silenceMillis = 20_000;
/** The same before the first byte of an FLV, which begins at once unless something in between holds it back. */
const firstByteMillis = 8_000;
/** Bytes come but the picture does not move: start over. */
const stuckMillis = 8_000;
/** Bytes are coming when the last of them are no older. */
const freshMillis = 2_000;
/** A paused viewer keeps his connection for so long. */
const pauseMillis = 30_000;
const maxDrainMillis = 2_500;

const noAudio = { tracks: [], current: -1 };
/** HTTP 415. */
const notCarried: Reason = { text: 'The server cannot send its codecs this way.', final: false };
/** Without a way to name the codec. */
const unknownReason: Reason = { text: 'It comes in a form that this browser cannot play.', final: false };
const noMse: Reason = { text: 'It has no Media Source Extensions.', final: false };

export class Session {
  readonly #options: SessionOptions;
  readonly #video: HTMLVideoElement;
  readonly #clock = new ServerClock();
  readonly #listeners = new Set<() => void>();
  readonly #ends = new AbortController();
  readonly #edge: LiveEdge;
  readonly #abilities: Abilities;
  #choice: Choice;
  #trial: Trial;
  #state = initialState;
  #engine: Engine | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #drain: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #snapshot: Snapshot;

  #stalls = 0;
  #jumps = 0;
  /** This connection has shown a picture; it has found its place at the live edge. */
  #shown = false;
  #settled = false;
  #seeking = false;
  #movedMillis = 0;
  #lastTime = 0;
  #playingSince = 0;
  #pausedSince = 0;
  #codecs: { video?: Codec; audio?: Codec } = {};
  #rateBytes = 0;
  #rateMillis = 0;
  #kilobits: number | undefined;
  #audio: { readonly tracks: readonly AudioTrack[]; readonly current: number } = noAudio;
  #timeline = '';
  #era = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#video = options.video;
    this.#edge = new LiveEdge(options.video);
    this.#abilities = detectAbilities(options.video);
    this.#choice = options.choice;
    this.#trial = this.#begin();
    this.#snapshot = this.#measure();
  }

  start(): void {
    const on = (name: keyof HTMLMediaElementEventMap, act: () => void): void =>
      this.#video.addEventListener(name, act, { signal: this.#ends.signal });
    on('playing', () => this.#onPlaying());
    on('waiting', () => this.#onWaiting());
    on('seeking', () => this.#onSeeking());
    on('seeked', () => {
      this.#seeking = false;
    });
    on('timeupdate', () => this.#onMoved());
    document.addEventListener('visibilitychange', () => this.#tick(), { signal: this.#ends.signal });

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
    this.#trial = this.#begin();
    this.#dispatch({ type: 'retry' });
  }

  /** The viewer wants the media to come another way; the page stays as it is. */
  choose(choice: Choice): void {
    const before = this.#trial.current;
    this.#choice = choice;
    this.#trial = this.#begin();
    if (this.#trial.current === before && isConnected(this.#state.phase)) this.#publish();
    else this.#dispatch({ type: 'retry' });
  }

  chooseAudio(id: number): void {
    this.#engine?.chooseAudio(id);
  }

  togglePause(): void {
    if (this.#state.phase === 'playing' || this.#state.phase === 'stalled') {
      this.#pausedSince = performance.now();
      this.#video.pause();
      this.#dispatch({ type: 'pause' });
    } else if (this.#state.phase === 'paused' || this.#state.phase === 'blocked') {
      if (this.#engine === undefined) this.#dispatch({ type: 'retry' });
      else {
        this.#settled = false;
        this.#movedMillis = performance.now();
        this.#engine.toLive();
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

  async #probe(): Promise<void> {
    this.#onStatus(await this.#status());
  }

  /** An answer for the stream's address: from a probe, or in place of the media. */
  #onStatus(status: number): void {
    if (status === 404) this.#trial = this.#begin(); // the next one may be another stream
    if (status === 415 && this.#state.phase !== 'unsupported') return this.#giveWay(notCarried);
    if (isBlocked(status, this.#state.phase === 'connecting')) this.#trial = strike(this.#trial);
    this.#dispatch({ type: 'probed', status });
  }

  async #status(): Promise<number> {
    const address = await findAddress(this.#options.wanted, this.#ends.signal);
    return headStatus(probeUrl(address, this.#trial.current ?? 'flv', location.origin, this.#options.params), this.#ends.signal);
  }

  #begin = (): Trial => beginTrial(candidates(this.#choice, this.#abilities));

  async #connect(): Promise<void> {
    this.#disconnect();
    const run = this.#state.run;
    const transport = this.#trial.current;
    if (transport === undefined) return this.#giveUp();
    const address = await findAddress(this.#options.wanted, this.#ends.signal);
    // A WebSocket that is refused does not say why: ask first.
    if (transport === 'ws-flv') {
      const status = await this.#status();
      if (this.#isStale(run)) return;
      if (status !== 200 && status !== 405 && status !== 501) return this.#onStatus(status);
    }
    const open = await loadEngine(transport).catch((error: unknown) => String(error));
    if (this.#isStale(run)) return;
    if (typeof open === 'string') return this.#onFailed(open);

    this.#forget();
    this.#engine = open({
      video: this.#video,
      url: mediaUrl(address, transport, location.origin, this.#options.params),
      params: this.#options.params,
      edge: this.#edge,
      events: this.#events(run),
    });
    this.#play();
  }

  /** What belonged to the connection before. */
  #forget(): void {
    this.#shown = this.#settled = this.#seeking = false;
    this.#movedMillis = performance.now();
    this.#lastTime = 0;
    this.#rateBytes = this.#rateMillis = 0;
    this.#kilobits = undefined;
    this.#codecs = {};
    this.#audio = noAudio;
    this.#timeline = '';
    this.#era = 0;
    this.#video.playbackRate = 1;
  }

  #events(run: number): EngineEvents {
    const current =
      <T extends readonly unknown[]>(act: (...values: T) => void) =>
      (...values: T): void => {
        if (!this.#isStale(run)) act(...values);
      };
    return {
      onStatus: current((status) => this.#onStatus(status)),
      onCodec: current((codec) => {
        this.#codecs = { ...this.#codecs, [codec.kind]: codec };
      }),
      onTimeline: current((tag) => {
        this.#timeline = tag.timeline;
        this.#era = tag.era;
        if (tag.serverMicros !== undefined) this.#clock.hint(tag.serverMicros);
      }),
      onAudioTracks: current((tracks, id) => {
        this.#audio = { tracks, current: id };
        this.#publish();
      }),
      onUnsupported: current((reason) => this.#giveWay(reason)),
      onClosed: current(() => this.#onClosed(run)),
      onFailed: current((reason) => this.#onFailed(reason)),
    };
  }

  /** The way in use cannot play this stream: the next one, or the end of what can be tried. */
  #giveWay(reason: Reason | undefined): void {
    this.#trial = ruleOut(this.#trial, reason);
    if (this.#trial.current === undefined) this.#giveUp();
    else this.#dispatch({ type: 'retry' });
  }

  #giveUp(): void {
    const tried = candidates(this.#choice, this.#abilities);
    const { text, final } = this.#trial.reason ?? (tried.length > 0 ? unknownReason : noMse);
    const others = candidates('auto', this.#abilities).some((t) => !tried.includes(t));
    this.#dispatch({ type: 'unsupported', reason: others && !final ? `${text} Another way of receiving it may do: choose Auto below.` : text });
  }

  #isStale = (run: number): boolean => this.#ends.signal.aborted || run !== this.#state.run;

  #disconnect(): void {
    clearTimeout(this.#drain);
    this.#drain = undefined;
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

  /** Shows what is left in the buffer before the page says that the stream has ended. */
  #onClosed(run: number): void {
    if (this.#drain !== undefined) return;
    const left = secondsAhead(this.#video) * 1000;
    this.#drain = setTimeout(() => {
      if (this.#isStale(run)) return;
      if (!this.#shown) this.#trial = strike(this.#trial);
      this.#dispatch({ type: 'closed' });
    }, this.#state.phase === 'playing' ? Math.min(maxDrainMillis, Math.max(0, left)) : 0);
  }

  #onFailed(reason: string): void {
    console.info(`millrace: ${this.#trial.current ?? ''}: ${reason}`);
    if (!this.#shown) this.#trial = strike(this.#trial);
    this.#dispatch({ type: 'failed' });
  }

  #onPlaying(): void {
    this.#seeking = false;
    this.#shown = true;
    this.#movedMillis = this.#playingSince = performance.now();
    this.#dispatch({ type: 'playing' });
  }

  /** The page has no seek bar: whoever seeks is after the live edge. */
  #onSeeking(): void {
    this.#seeking = true;
    if (this.#settled) this.#jumps++;
  }

  #onWaiting(): void {
    if (this.#seeking || this.#state.phase !== 'playing') return;
    this.#stalls++;
    this.#engine?.stalled();
    this.#dispatch({ type: 'stalled' });
  }

  #onMoved(): void {
    if (this.#video.currentTime === this.#lastTime) return;
    this.#lastTime = this.#video.currentTime;
    this.#movedMillis = performance.now();
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
    this.#engine?.follow();
    if (phase === 'playing' && this.#video.currentTime > 0 && !this.#video.seeking) this.#settled = true;
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
    const { bytes, lastBytesMillis } = this.#engine;
    const patience = bytes === 0 && this.#trial.current === 'flv' ? firstByteMillis : silenceMillis;
    const silent = now - lastBytesMillis > patience;
    const fed = secondsAhead(this.#video) > 1 || (phase === 'stalled' && now - lastBytesMillis < freshMillis);
    const still = now - this.#movedMillis > (fed ? stuckMillis : silenceMillis);
    const stuck = bytes !== 0 && still && !document.hidden;
    if (silent || stuck) this.#onFailed(silent ? 'no data' : 'picture does not move');
  }

  #countBytes(now: number): void {
    const elapsed = now - this.#rateMillis;
    const bytes = this.#engine?.bytes;
    if (bytes === undefined || elapsed < 1000) return;
    if (this.#rateMillis > 0) this.#kilobits = ((bytes - this.#rateBytes) * 8) / elapsed;
    this.#rateBytes = bytes;
    this.#rateMillis = now;
  }

  #publish(): void {
    this.#snapshot = this.#measure();
    for (const listener of this.#listeners) listener();
  }

  #latency(): number | undefined {
    const { phase } = this.#state;
    if (phase !== 'playing' && phase !== 'stalled') return undefined;
    const arrived = this.#engine?.arrivalMicros();
    const now = this.#clock.nowMicros();
    return arrived === undefined || now === undefined ? undefined : latencySeconds(now, arrived);
  }

  #measure(): Snapshot {
    const quality = this.#video.getVideoPlaybackQuality();
    return {
      state: this.#state,
      choice: this.#choice,
      transport: this.#trial.current,
      abilities: this.#abilities,
      audioTracks: this.#audio.tracks,
      audioTrack: this.#audio.current,
      latency: this.#latency(),
      latencyExact: this.#clock.exact,
      buffer: secondsAhead(this.#video),
      rate: this.#video.playbackRate,
      target: this.#engine?.target,
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
