/** When a connection is given up although nothing has failed. Pure: called four times a second while the picture should move. */

export interface WatchInput {
  /** performance.now, as all the moments here. */
  readonly now: number;
  /** Received so far; undefined where the browser does not tell. */
  readonly bytes: number | undefined;
  readonly lastBytesMillis: number;
  readonly movedMillis: number;
  /** Seconds of media ahead of the picture. */
  readonly ahead: number;
  readonly stalled: boolean;
  /** Begins at once, unless something in between holds it back. */
  readonly isFlv: boolean;
  /** The page cannot be seen: browsers may stop the picture then. */
  readonly hidden: boolean;
}

/** No bytes for so long, while some should come: the connection is dead (sleep, roaming). */
const silenceMillis = 20_000;
/** The same before the first byte of an FLV. */
const firstByteMillis = 8_000;
/** Bytes come but the picture does not move: start over. */
const stuckMillis = 8_000;
/** Bytes are coming when the last of them are no older. */
const freshMillis = 2_000;

/** Why it should be given up; undefined while it should not. */
export function whyGiveUp({ now, bytes, lastBytesMillis, movedMillis, ahead, stalled, isFlv, hidden }: WatchInput): string | undefined {
  const patience = bytes === 0 && isFlv ? firstByteMillis : silenceMillis;
  if (now - lastBytesMillis > patience) return 'no data';
  const fed = ahead > 1 || (stalled && now - lastBytesMillis < freshMillis);
  const still = now - movedMillis > (fed ? stuckMillis : silenceMillis);
  return bytes !== 0 && still && !hidden ? 'picture does not move' : undefined;
}
