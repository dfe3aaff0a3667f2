/** What the page shows of a session. */

import type { ServerClock } from './clock';
import type { Connection } from './connection';
import type { AudioTrack } from './engine';
import { secondsAhead } from './liveEdge';
import type { PlayerState } from './machine';
import { latencySeconds } from './timeline';
import type { Abilities, Choice, Transport } from './transport';
import type { Viewing } from './viewing';
import type { Ways } from './ways';

/** Renewed four times a second. */
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

export interface Sources {
  readonly video: HTMLVideoElement;
  readonly state: PlayerState;
  readonly ways: Ways;
  /** The connection in use, or the last one. */
  readonly connection: Connection | undefined;
  readonly viewing: Viewing;
  readonly clock: ServerClock;
}

const noTracks: readonly AudioTrack[] = [];

export function takeSnapshot({ video, state, ways, connection, viewing, clock }: Sources): Snapshot {
  const quality = video.getVideoPlaybackQuality();
  return {
    state,
    choice: ways.choice,
    transport: ways.current,
    abilities: ways.abilities,
    audioTracks: connection?.audio.tracks ?? noTracks,
    audioTrack: connection?.audio.current ?? -1,
    latency: latency(state, connection, clock),
    latencyExact: clock.exact,
    buffer: secondsAhead(video),
    rate: video.playbackRate,
    target: connection?.engine?.target,
    stalls: viewing.stalls,
    jumps: viewing.jumps,
    droppedFrames: quality.droppedVideoFrames,
    decodedFrames: quality.totalVideoFrames,
    kilobits: connection?.kilobits,
    width: video.videoWidth,
    height: video.videoHeight,
    videoCodec: connection?.codecs.video?.label,
    audioCodec: connection?.codecs.audio?.label,
    timeline: connection?.timeline ?? '',
    era: connection?.era ?? 0,
  };
}

function latency({ phase }: PlayerState, connection: Connection | undefined, clock: ServerClock): number | undefined {
  if (phase !== 'playing' && phase !== 'stalled') return undefined;
  const arrived = connection?.engine?.arrivalMicros();
  const now = clock.nowMicros();
  return arrived === undefined || now === undefined ? undefined : latencySeconds(now, arrived);
}
