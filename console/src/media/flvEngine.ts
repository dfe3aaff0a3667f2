/** FLV by HTTP or WebSocket: mpegts.js on a video element, and what its bytes tell about time and codecs. */

import mpegts from 'mpegts.js';
import { whyUnsupported } from './abilities';
import type { Codec } from './codecs';
import type { Engine, EngineEvents, EngineOptions } from './engine';
import { FlvReader } from './flv';
import type { LiveEdge } from './liveEdge';
import { createLoaderClass } from './loader';
import { arrivalMicros, readTimelineTag, TimelineMap } from './timeline';

mpegts.LoggingControl.applyConfig({ enableDebug: false, enableVerbose: false, enableInfo: false, enableWarn: false, enableError: false });

export class FlvEngine implements Engine {
  readonly #player: mpegts.Player;
  readonly #video: HTMLVideoElement;
  readonly #edge: LiveEdge;
  readonly #events: EngineEvents;
  readonly #reader: FlvReader;
  readonly #map = new TimelineMap();
  #firstAudio: number | undefined;
  #firstVideo: number | undefined;
  #destroyed = false;
  bytes = 0;
  lastBytesMillis = performance.now();

  constructor({ video, url, edge, events }: EngineOptions) {
    this.#video = video;
    this.#edge = edge;
    this.#events = events;
    edge.begin();
    this.#reader = new FlvReader({
      onTimeline: (value) => {
        const tag = readTimelineTag(value);
        if (tag === undefined) return;
        this.#map.add(tag);
        events.onTimeline(tag);
      },
      onCodec: (codec) => this.#onCodec(codec),
      onFrame: (kind, millis) => {
        if (kind === 'audio') this.#firstAudio ??= millis;
        else this.#firstVideo ??= millis;
        this.#map.frame(millis + (this.#reader.shiftMillis ?? 0));
      },
    });
    this.#player = mpegts.createPlayer({ type: 'flv', isLive: true, url }, {
      isLive: true,
      enableWorker: false, // the loader above needs this thread
      enableStashBuffer: false,
      lazyLoad: false,
      autoCleanupSourceBuffer: true,
      autoCleanupMaxBackwardDuration: 30,
      autoCleanupMinBackwardDuration: 10,
      customLoader: createLoaderClass({
        reader: this.#reader,
        onBytes: (count) => {
          this.bytes += count;
          this.lastBytesMillis = performance.now();
        },
        onStatus: (status) => {
          if (status < 200 || status > 299) this.#later(() => events.onStatus(status));
        },
      }),
    });
    this.#player.on(mpegts.Events.LOADING_COMPLETE, () => {
      if (!this.#destroyed) events.onClosed();
    });
    this.#player.on(mpegts.Events.ERROR, (type: string, detail: string, info: { msg?: string } | undefined) => {
      this.#later(() => events.onFailed(`${type} ${detail} ${info?.msg ?? ''}`));
    });
    this.#player.attachMediaElement(video);
    this.#player.load();
  }

  get target(): number {
    return this.#edge.target;
  }

  arrivalMicros(): number | undefined {
    const media = this.#mediaMillis();
    const tag = media === undefined ? undefined : this.#map.at(media);
    return media === undefined || tag === undefined ? undefined : arrivalMicros(tag, media);
  }

  follow(): void {
    this.#edge.follow();
  }

  stalled(): void {
    this.#edge.stalled();
  }

  toLive(): void {
    this.#edge.begin();
  }

  /** FLV carries one sound. */
  chooseAudio(): void {}

  destroy(): void {
    this.#destroyed = true;
    this.#player.destroy();
  }

  /** The stream's own time of the picture now shown, in milliseconds of its FLV timestamps. */
  #mediaMillis(): number | undefined {
    const shift = this.#reader.shiftMillis;
    const base = timestampBase(this.#player) ?? this.#firstFrame();
    return shift === undefined || base === undefined ? undefined : this.#video.currentTime * 1000 + base + shift;
  }

  #onCodec(codec: Codec): void {
    this.#events.onCodec(codec);
    const reason = whyUnsupported(codec);
    if (reason !== undefined) this.#later(() => this.#events.onUnsupported(reason));
  }

  /** mpegts.js passes its events on in promises: destroyed within one of its calls, it would trip over itself. */
  #later(act: () => void): void {
    setTimeout(() => {
      if (!this.#destroyed) act();
    });
  }

  #firstFrame(): number | undefined {
    const first = Math.min(this.#firstAudio ?? Infinity, this.#firstVideo ?? Infinity);
    return Number.isFinite(first) ? first : undefined;
  }
}

interface PlayerInternals {
  _player_engine?: { _transmuxer?: { _controller?: { _remuxer?: { getTimestampBase?(): number | undefined } } } };
}

/**
 * mpegts.js subtracts the first decode time of its first batch from all timestamps and does not publish it; the remuxer's
 * accessor has it. If a later version moves it, the first frame seen by our own reader is the same but in rare orders.
 */
function timestampBase(player: mpegts.Player): number | undefined {
  const base = (player as unknown as PlayerInternals)._player_engine?._transmuxer?._controller?._remuxer?.getTimestampBase?.();
  return typeof base === 'number' ? base : undefined;
}
