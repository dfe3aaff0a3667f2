/** How LL-HLS keeps its distance from the live edge. Pure: called a few times a second. */

export interface PaceInput {
  /** Seconds behind the newest part there is. */
  readonly latency: number;
  /** What the playlist asks for (PART-HOLD-BACK), and more after stalls. */
  readonly target: number;
  /** The playback rate in force. */
  readonly rate: number;
  /** The first moments, when a jump disturbs nobody and what it leads to is there already. */
  readonly starting: boolean;
}

export interface PaceAction {
  readonly rate: number;
  /** Too far behind to make up for it by playing faster. */
  readonly jump: boolean;
}

/** Few ears notice these. */
const fast = 1.05;
const slow = 0.96;
/** Seconds from the target. Rate control begins beyond the first and ends below the second, to keep the pitch steady. */
const beginExcess = 0.25;
const endExcess = 0.05;
/** Nearer to the edge than this a part that is a little late stalls the picture. */
const beginLack = 0.4;
const endLack = 0.1;
const jumpBehind = 2.5;
const jumpAtStart = 0.4;

export function pace({ latency, target, rate, starting }: PaceInput): PaceAction {
  const excess = latency - target;
  if (excess > (starting ? jumpAtStart : jumpBehind)) return { rate: 1, jump: true };
  if (excess > (rate > 1 ? endExcess : beginExcess)) return { rate: fast, jump: false };
  if (-excess > (rate < 1 ? endLack : beginLack)) return { rate: slow, jump: false };
  return { rate: 1, jump: false };
}
