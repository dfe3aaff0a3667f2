/** One media connection of a session. Closed, it still tells what came by it. */

import type { Codec } from './codecs';
import { loadEngine, type AudioTrack, type Engine, type EngineEvents, type EngineOptions, type OpenEngine } from './engine';
import type { Target } from './probe';
import type { TimelineTag } from './timeline';
import type { Reason, Transport } from './transport';

/** See EngineEvents; what the connection keeps itself is told once it is kept. */
export interface ConnectionEvents {
  onStatus(status: number): void;
  onTimeline(tag: TimelineTag): void;
  onAudioTracks(): void;
  onUnsupported(reason: Reason | undefined): void;
  onClosed(): void;
  onFailed(reason: string): void;
}

/** What a connection needs, or why there will be none: the server's answer, or what else has failed. */
export type Prepared = { readonly open: OpenEngine; readonly url: string } | { readonly status: number } | { readonly failed: string };

/** All that comes before the media is asked for. */
export async function prepare(transport: Transport, target: Target): Promise<Prepared> {
  const url = await target.url(transport);
  // A WebSocket that is refused does not say why: ask first.
  if (transport === 'ws-flv') {
    const status = await target.status(transport);
    if (status !== 200 && status !== 405 && status !== 501) return { status };
  }
  return loadEngine(transport).then(
    (open) => ({ open, url }),
    (error: unknown) => ({ failed: String(error) }),
  );
}

export class Connection {
  #engine: Engine | undefined;
  #drain: ReturnType<typeof setTimeout> | undefined;
  #codecs: { readonly video?: Codec; readonly audio?: Codec } = {};
  #audio: { readonly tracks: readonly AudioTrack[]; readonly current: number } = { tracks: [], current: -1 };
  #timeline = '';
  #era = 0;
  #rateBytes = 0;
  #rateMillis = 0;
  #kilobits: number | undefined;

  /** `isStale` says that the session has moved on: nothing is told from then on. */
  constructor(open: OpenEngine, options: Omit<EngineOptions, 'events'>, events: ConnectionEvents, isStale: () => boolean) {
    this.#engine = open({ ...options, events: this.#events(events, isStale) });
  }

  /** Undefined once it is closed. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  get codecs(): { readonly video?: Codec; readonly audio?: Codec } {
    return this.#codecs;
  }

  get audio(): { readonly tracks: readonly AudioTrack[]; readonly current: number } {
    return this.#audio;
  }

  get timeline(): string {
    return this.#timeline;
  }

  get era(): number {
    return this.#era;
  }

  /** A second's mean; undefined until it is known. */
  get kilobits(): number | undefined {
    return this.#kilobits;
  }

  close(): void {
    clearTimeout(this.#drain);
    this.#drain = undefined;
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  /** Once, after what is left in the buffer has been shown; not when it is closed before. */
  afterDrain(millis: number, act: () => void): void {
    this.#drain ??= setTimeout(act, millis);
  }

  /** Called a few times a second. */
  countBytes(now: number): void {
    const elapsed = now - this.#rateMillis;
    const bytes = this.#engine?.bytes;
    if (bytes === undefined || elapsed < 1000) return;
    if (this.#rateMillis > 0) this.#kilobits = ((bytes - this.#rateBytes) * 8) / elapsed;
    this.#rateBytes = bytes;
    this.#rateMillis = now;
  }

  #events(events: ConnectionEvents, isStale: () => boolean): EngineEvents {
    const current =
      <T extends readonly unknown[]>(act: (...values: T) => void) =>
      (...values: T): void => {
        if (!isStale()) act(...values);
      };
    return {
      onStatus: current((status) => events.onStatus(status)),
      onCodec: current((codec) => {
        this.#codecs = { ...this.#codecs, [codec.kind]: codec };
      }),
      onTimeline: current((tag) => {
        this.#timeline = tag.timeline;
        this.#era = tag.era;
        events.onTimeline(tag);
      }),
      onAudioTracks: current((tracks, id) => {
        this.#audio = { tracks, current: id };
        events.onAudioTracks();
      }),
      onUnsupported: current((reason) => events.onUnsupported(reason)),
      onClosed: current(() => events.onClosed()),
      onFailed: current((reason) => events.onFailed(reason)),
    };
  }
}
