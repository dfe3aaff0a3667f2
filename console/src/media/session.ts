/** A viewer's session with one stream: decides when to connect, by which way and what to try next; keeps what the page renders. */

import { detectAbilities } from './abilities';
import type { Wanted } from './address';
import { ServerClock } from './clock';
import { Connection, prepare, type ConnectionEvents } from './connection';
import { LiveEdge, secondsAhead } from './liveEdge';
import { initialState, isConnected, isPolling, pollDelay, reduce, type PlayerEvent } from './machine';
import { Target } from './probe';
import { takeSnapshot, type Snapshot } from './snapshot';
import { isBlocked, notCarried, type Choice, type Reason } from './transport';
import { Viewing } from './viewing';
import { whyGiveUp } from './watchdog';
import { Ways } from './ways';
import { Store } from '../shared/store';

export interface SessionOptions {
  readonly video: HTMLVideoElement;
  readonly wanted: Wanted;
  readonly choice: Choice;
  readonly params: string;
}

const tickMillis = 250;
const steadyMillis = 5_000;
/** A paused viewer keeps his connection for so long. */
const pauseMillis = 30_000;
const maxDrainMillis = 2_500;

export class Session {
  readonly #options: SessionOptions;
  readonly #video: HTMLVideoElement;
  readonly #clock = new ServerClock();
  readonly #ends = new AbortController();
  readonly #edge: LiveEdge;
  readonly #viewing: Viewing;
  readonly #target: Target;
  readonly #ways: Ways;
  #state = initialState;
  /** The one in use, or the last one. */
  #connection: Connection | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #pausedSince = 0;
  /** What the page renders. */
  readonly shown: Store<Snapshot>;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#video = options.video;
    this.#edge = new LiveEdge(options.video);
    this.#viewing = new Viewing(options.video);
    this.#target = new Target(options.wanted, options.params, this.#ends.signal);
    this.#ways = new Ways(detectAbilities(options.video), options.choice);
    this.shown = new Store(this.#measure());
  }

  start(): void {
    const onPlaying = (): void => this.#dispatch({ type: 'playing' });
    this.#viewing.listen({ onPlaying, onWaiting: () => this.#onWaiting() }, this.#ends.signal);
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
    this.#connection?.close();
    this.shown.clear();
  }

  retry(): void {
    this.#ways.restart();
    this.#dispatch({ type: 'retry' });
  }

  /** The viewer wants the media to come another way; the page stays as it is. */
  choose(choice: Choice): void {
    const before = this.#ways.current;
    this.#ways.choose(choice);
    if (this.#ways.current === before && isConnected(this.#state.phase)) this.#publish();
    else this.#dispatch({ type: 'retry' });
  }

  chooseAudio(id: number): void {
    this.#connection?.engine?.chooseAudio(id);
  }

  togglePause(): void {
    if (this.#state.phase === 'playing' || this.#state.phase === 'stalled') {
      this.#pausedSince = performance.now();
      this.#video.pause();
      this.#dispatch({ type: 'pause' });
    } else if (this.#state.phase === 'paused' || this.#state.phase === 'blocked') {
      const engine = this.#connection?.engine;
      if (engine === undefined) this.#dispatch({ type: 'retry' });
      else {
        this.#viewing.seekFreely();
        engine.toLive();
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
    else if (!isConnected(after.phase)) this.#connection?.close();
    // Each answer of a probe asks for the next one; other events only when they begin the polling.
    clearTimeout(this.#poll);
    if (isPolling(after.phase)) this.#poll = setTimeout(() => void this.#probe(), pollDelay(after.phase, after.attempt, Math.random()));
    this.#publish();
  }

  #probe = async (): Promise<void> => this.#onStatus(await this.#target.status(this.#ways.current ?? 'flv'));

  /** An answer for the stream's address: from a probe, or in place of the media. */
  #onStatus(status: number): void {
    if (status === 404) this.#ways.restart(); // the next one may be another stream
    if (status === 415 && this.#state.phase !== 'unsupported') return this.#giveWay(notCarried);
    if (isBlocked(status, this.#state.phase === 'connecting')) this.#ways.strike();
    this.#dispatch({ type: 'probed', status });
  }

  async #connect(): Promise<void> {
    this.#connection?.close();
    const run = this.#state.run;
    const transport = this.#ways.current;
    if (transport === undefined) return this.#giveUp();
    const ready = await prepare(transport, this.#target);
    if (this.#isStale(run)) return;
    if ('status' in ready) return this.#onStatus(ready.status);
    if ('failed' in ready) return this.#onFailed(ready.failed);

    this.#viewing.begin();
    this.#video.playbackRate = 1;
    const options = { video: this.#video, url: ready.url, params: this.#options.params, edge: this.#edge };
    this.#connection = new Connection(ready.open, options, this.#events(run), () => this.#isStale(run));
    this.#play();
  }

  #events(run: number): ConnectionEvents {
    return {
      onStatus: (status) => this.#onStatus(status),
      onTimeline: ({ serverMicros }) => {
        if (serverMicros !== undefined) this.#clock.hint(serverMicros);
      },
      onAudioTracks: () => this.#publish(),
      onUnsupported: (reason) => this.#giveWay(reason),
      onClosed: () => this.#onClosed(run),
      onFailed: (reason) => this.#onFailed(reason),
    };
  }

  /** The way in use cannot play this stream: the next one, or the end of what can be tried. */
  #giveWay(reason: Reason | undefined): void {
    this.#ways.ruleOut(reason);
    if (this.#ways.current === undefined) this.#giveUp();
    else this.#dispatch({ type: 'retry' });
  }

  #giveUp(): void {
    this.#dispatch({ type: 'unsupported', reason: this.#ways.whyNone() });
  }

  #isStale = (run: number): boolean => this.#ends.signal.aborted || run !== this.#state.run;

  #play(): void {
    const { run } = this.#state;
    this.#viewing.play(() => {
      if (!this.#isStale(run)) this.#dispatch({ type: 'blocked' });
    });
  }

  /** Shows what is left in the buffer before the page says that the stream has ended. */
  #onClosed(run: number): void {
    const left = this.#state.phase === 'playing' ? Math.max(0, secondsAhead(this.#video) * 1000) : 0;
    this.#connection?.afterDrain(Math.min(maxDrainMillis, left), () => {
      if (this.#isStale(run)) return;
      if (!this.#viewing.shown) this.#ways.strike();
      this.#dispatch({ type: 'closed' });
    });
  }

  #onFailed(reason: string): void {
    console.info(`millrace: ${this.#ways.current ?? ''}: ${reason}`);
    if (!this.#viewing.shown) this.#ways.strike();
    this.#dispatch({ type: 'failed' });
  }

  #onWaiting(): void {
    if (this.#state.phase !== 'playing') return;
    this.#viewing.stalls++;
    this.#connection?.engine?.stalled();
    this.#dispatch({ type: 'stalled' });
  }

  #tick(): void {
    const now = performance.now();
    if (this.#connection?.engine !== undefined) {
      this.#follow();
      this.#watch(now);
      this.#connection.countBytes(now);
    }
    this.#publish();
  }

  #follow(): void {
    const { phase } = this.#state;
    if (phase === 'paused' || phase === 'blocked' || this.#video.seeking) return;
    this.#connection?.engine?.follow();
    if (phase === 'playing' && this.#video.currentTime > 0 && !this.#video.seeking) this.#viewing.settle();
  }

  #watch(now: number): void {
    const { phase, attempt } = this.#state;
    if (phase === 'playing' && attempt > 0 && now - this.#viewing.playingSince > steadyMillis) this.#dispatch({ type: 'steady' });
    if (phase === 'paused' && now - this.#pausedSince > pauseMillis) this.#connection?.close();
    const engine = this.#connection?.engine;
    if (phase === 'paused' || phase === 'blocked' || engine === undefined) return;
    const { bytes, lastBytesMillis } = engine;
    const { movedMillis } = this.#viewing;
    const isFlv = this.#ways.current === 'flv';
    const why = whyGiveUp({ now, bytes, lastBytesMillis, movedMillis, ahead: secondsAhead(this.#video), stalled: phase === 'stalled', isFlv, hidden: document.hidden });
    if (why !== undefined) this.#onFailed(why);
  }

  #publish = (): void => this.shown.set(this.#measure());

  #measure(): Snapshot {
    return takeSnapshot({
      video: this.#video,
      state: this.#state,
      ways: this.#ways,
      connection: this.#connection,
      viewing: this.#viewing,
      clock: this.#clock,
    });
  }
}
