import type { Phase } from '../media/machine';
import type { Snapshot } from '../media/snapshot';
import type { Choice, Transport } from '../media/transport';

/** `window.__millrace`: for tests and for support. Renewed four times a second. */
export interface SupportNumbers {
  readonly latencySeconds: number | null;
  readonly latencyExact: boolean;
  readonly state: Phase;
  /** The way in use; null when none is left to try. */
  readonly transport: Transport | null;
  readonly choice: Choice;
  readonly droppedFrames: number;
  readonly decodedFrames: number;
  readonly currentTime: number;
  readonly stalls: number;
  readonly jumps: number;
  readonly muted: boolean;
  readonly bufferSeconds: number;
  readonly playbackRate: number;
  readonly timeline: string;
  readonly era: number;
  readonly run: number;
}

declare global {
  interface Window {
    __millrace?: SupportNumbers;
  }
}

export function publishForSupport(s: Snapshot, video: HTMLVideoElement): void {
  window.__millrace = {
    latencySeconds: s.latency ?? null,
    latencyExact: s.latencyExact,
    state: s.state.phase,
    transport: s.transport ?? null,
    choice: s.choice,
    droppedFrames: s.droppedFrames,
    decodedFrames: s.decodedFrames,
    currentTime: video.currentTime,
    stalls: s.stalls,
    jumps: s.jumps,
    muted: video.muted,
    bufferSeconds: s.buffer,
    playbackRate: s.rate,
    timeline: s.timeline,
    era: s.era,
    run: s.state.run,
  };
}
