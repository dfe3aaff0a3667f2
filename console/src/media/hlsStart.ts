/** When hls.js may begin with a low-latency playlist. Pure: called with each playlist until it may. Seconds on one timeline. */

export interface StartInput {
  /** False once the playlist has EXT-X-ENDLIST. */
  readonly live: boolean;
  /** The first part that is listed; undefined when none is. */
  readonly firstPart: { readonly start: number; readonly end: number } | undefined;
  /** PART-TARGET. */
  readonly partTarget: number;
  /** EXT-X-TARGETDURATION. */
  readonly targetDuration: number;
  /** The start of the first segment. */
  readonly begin: number;
  /** The end of the last whole segment. */
  readonly wholeEnd: number;
  /** The end of the newest part. */
  readonly edge: number;
  /** Where it would begin: PART-HOLD-BACK behind the edge, or at the first segment of a stream that is younger than that. */
  readonly from: number;
  /** Since the first playlist. */
  readonly waited: number;
}

/** Sound is cut where a frame of it ends, so its segments may end a little later than those of the picture. */
const frame = 0.1;

/** Parts are listed up to so many target durations from the end (RFC 8216bis 6.2.2). */
const partTargets = 3;

/**
 * hls.js reads parts only when its buffer reaches beyond the first listed part by as much as the open segment has, and
 * otherwise waits for whole segments. Begun in the first short segment of a young stream, it would show that one and
 * stand still until the open segment is whole. With parts that are long beside the target duration, or a long hold-back,
 * there never is a better moment than any other.
 */
export function mayBegin({ live, firstPart, partTarget, targetDuration, begin, wholeEnd, edge, from, waited }: StartInput): boolean {
  if (!live || firstPart === undefined) return true;
  if (from >= wholeEnd + frame) return true; // in the open segment
  // In a whole one: the open one has less than lies behind `from`, and gets a part more while this is loaded.
  const needed = edge - from + partTarget;
  if (wholeEnd - firstPart.end >= needed) return true;
  // The parts reach as far back as they ever will: what lies before them is listed without, or would be.
  if (firstPart.start > begin || edge - firstPart.start >= partTargets * targetDuration - frame) return true;
  // Within that time either a segment outlasts the hold-back, or enough of them become whole: unless time stands still.
  return waited >= 2 * needed;
}
