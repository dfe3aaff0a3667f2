/** One media connection: mpegts.js on a video element, and what its bytes tell about time and codecs. */

import mpegts from 'mpegts.js';
import type { Codec } from './codecs';
import { FlvReader } from './flv';
import { createLoaderClass } from './loader';
import { readTimelineTag, TimelineMap, type TimelineTag } from './timeline';

export interface EngineEvents {
  onStatus(status: number): void;
  onCodec(codec: Codec): void;
  onTimeline(tag: TimelineTag): void;
  /** The server ended the response in good order. */
  onClosed(): void;
  onFailed(reason: string): void;
}

mpegts.LoggingControl.applyConfig({ enableDebug: false, enableVerbose: false, enableInfo: false, enableWarn: false, enableError: false });

export class Engine {
  readonly #player: mpegts.Player;
  readonly #video: HTMLVideoElement;
  readonly #reader: FlvReader;
  readonly #map = new TimelineMap();
  #firstAudio: number | undefined;
  #firstVideo: number | undefined;
  #destroyed = false;
  bytes = 0;
  /** performance.now of the last bytes. */
  lastBytesMillis = performance.now();

  constructor(video: HTMLVideoElement, url: string, events: EngineEvents) {
    this.#video = video;
    this.#reader = new FlvReader({
      onTimeline: (value) => {
        const tag = readTimelineTag(value);
        if (tag === undefined) return;
        this.#map.add(tag);
        events.onTimeline(tag);
      },
      onCodec: (codec) => events.onCodec(codec),
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
        onStatus: (status) => events.onStatus(status),
      }),
    });
    this.#player.on(mpegts.Events.LOADING_COMPLETE, () => {
      if (!this.#destroyed) events.onClosed();
    });
    this.#player.on(mpegts.Events.ERROR, (type: string, detail: string, info: { msg?: string } | undefined) => {
      if (!this.#destroyed) events.onFailed(`${type} ${detail} ${info?.msg ?? ''}`);
    });
    this.#player.attachMediaElement(video);
    this.#player.load();
  }

  /** The stream's own time of the picture now shown, in milliseconds of its FLV timestamps. */
  mediaMillis(): number | undefined {
    const shift = this.#reader.shiftMillis;
    const base = timestampBase(this.#player) ?? this.#firstFrame();
    return shift === undefined || base === undefined ? undefined : this.#video.currentTime * 1000 + base + shift;
  }

  timelineTag(mediaMillis: number): TimelineTag | undefined {
    return this.#map.at(mediaMillis);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#player.destroy();
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
