/** How playback stays close to the live edge. Pure: called a few times a second with what the media element reports. */

export type TimeRange = readonly [start: number, end: number];

export interface CatchUpInput {
  readonly currentTime: number;
  readonly buffered: readonly TimeRange[];
  /** The playback rate in force. */
  readonly rate: number;
  /** Seconds of buffer to keep ahead of the picture. */
  readonly target: number;
  /** Before the first picture moves: jumps are free then. */
  readonly starting: boolean;
}

export interface CatchUpAction {
  readonly rate: number;
  readonly seekTo?: number;
  readonly why?: 'start' | 'behind' | 'gap';
}

/** Seconds. The base target holds the flush window (30 ms), two frames inside mpegts.js and some jitter of the network. */
export const baseTarget = 0.6;
export const maxTarget = 2;
/** Further behind than this, playing faster would take too long: jump. */
const jumpBehind = 3.5;
const startSlack = 0.3;
/** Rate control: begin above the first, end below the second, to keep the pitch steady. */
const beginExcess = 0.15;
const endExcess = 0.03;
const ratePerSecond = 0.2;
export const maxRate = 1.1;
/** A thin buffer, after a start or a stall, is refilled by playing a little slower, which nobody hears: below the first, up to the second share. */
const thin = 0.6;
const refilled = 0.9;
export const minRate = 0.96;
/** At a hole or at the very end of a range the picture cannot move on by itself. */
const edgeTolerance = 0.15;

export function catchUp(input: CatchUpInput): CatchUpAction {
  const { currentTime, buffered, rate, target, starting } = input;
  const last = buffered.at(-1);
  if (last === undefined) return { rate: 1 };

  const [lastStart, edge] = last;
  const ahead = edge - currentTime;
  // Never outside of the buffer: mpegts.js would flush everything.
  const live = Math.max(lastStart, edge - target, 0);

  const inside = buffered.find(([start, end]) => start <= currentTime && currentTime < end - edgeTolerance);
  if (inside === undefined && currentTime < lastStart) return { rate: 1, seekTo: live, why: 'gap' };
  if (starting && ahead > target + startSlack) return { rate: 1, seekTo: live, why: 'start' };
  if (ahead > jumpBehind + target - baseTarget) return { rate: 1, seekTo: live, why: 'behind' };

  if (ahead < target * (rate < 1 ? refilled : thin)) return { rate: minRate };
  const excess = ahead - target;
  if (excess < (rate > 1 ? endExcess : beginExcess)) return { rate: 1 };
  const wished = Math.min(maxRate, 1 + excess * ratePerSecond);
  return { rate: Math.round(Math.max(1.02, wished) * 100) / 100 };
}

const targetStep = 0.3;
const targetDecayPerSecond = 0.01;

/** A stall raises the target at once; calm lowers it slowly back to the base. */
export const raiseTarget = (target: number): number => Math.min(maxTarget, target + targetStep);
export const relaxTarget = (target: number, calmSeconds: number): number =>
  Math.max(baseTarget, target - calmSeconds * targetDecayPerSecond);
