/** One media connection behind a video element, whichever way it comes. */

import type { Codec } from './codecs';
import type { LiveEdge } from './liveEdge';
import type { TimelineTag } from './timeline';
import type { Reason, Transport } from './transport';

export interface AudioTrack {
  readonly id: number;
  readonly label: string;
}

/** An engine never calls these from within its constructor, and none after `destroy`. */
export interface EngineEvents {
  /** The stream's address was answered with this HTTP status, and it was not a success. */
  onStatus(status: number): void;
  onCodec(codec: Codec): void;
  onTimeline(tag: TimelineTag): void;
  /** The stream's sound in several versions; `current` is the id of the one that plays. */
  onAudioTracks(tracks: readonly AudioTrack[], current: number): void;
  /** It can never play this stream here; the reason, where it is known. */
  onUnsupported(reason: Reason | undefined): void;
  /** The server ended the stream in good order. */
  onClosed(): void;
  onFailed(reason: string): void;
}

export interface Engine {
  /** Bytes received so far; undefined where the browser does not tell. */
  readonly bytes: number | undefined;
  /** performance.now of the last bytes. */
  readonly lastBytesMillis: number;
  /** Seconds of media it wants to hold ahead of the picture; undefined where that is the browser's affair. */
  readonly target: number | undefined;
  /** When the picture now shown arrived at the server: its wall clock, in microseconds since the Unix epoch. */
  arrivalMicros(): number | undefined;
  /** Called four times a second while the picture should move: keeps it near the live edge. */
  follow(): void;
  /** The buffer ran dry. */
  stalled(): void;
  /** The viewer goes on after a pause: from the live edge, not from where he left. */
  toLive(): void;
  chooseAudio(id: number): void;
  destroy(): void;
}

export interface EngineOptions {
  readonly video: HTMLVideoElement;
  readonly url: string;
  /** The page's query arguments that belong to every request of the stream. */
  readonly params: string;
  /** How an engine without a live edge of its own finds it. */
  readonly edge: LiveEdge;
  readonly events: EngineEvents;
}

export type OpenEngine = (options: EngineOptions) => Engine;

/** Each engine's library is fetched when it is first needed. Rejects when it cannot be fetched. */
export async function loadEngine(transport: Transport): Promise<OpenEngine> {
  switch (transport) {
    case 'flv':
    case 'ws-flv': {
      const { FlvEngine } = await import('./flvEngine');
      return (options) => new FlvEngine(options);
    }
    case 'll-hls': {
      const { HlsEngine } = await import('./hlsEngine');
      return (options) => new HlsEngine(options);
    }
    case 'hls': {
      const { NativeHlsEngine } = await import('./nativeHlsEngine');
      return (options) => new NativeHlsEngine(options);
    }
  }
}
