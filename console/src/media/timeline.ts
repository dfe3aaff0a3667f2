/** From a position in the media to the wall clock of the server, by the stream's `onTimeline` tags. */

/** One `onTimeline` script tag. Microseconds since the Unix epoch. */
export interface TimelineTag {
  /** Wall clock of timestamp 0 of this FLV's own timestamps. */
  readonly epochMicros: number;
  /** Wall clock when the tag was written. */
  readonly serverMicros: number | undefined;
  readonly timeline: string;
  readonly era: number;
}

export function readTimelineTag(value: { readonly [key: string]: unknown }): TimelineTag | undefined {
  const { epochMicros, serverMicros, timeline, era } = value;
  if (typeof epochMicros !== 'number' || !Number.isFinite(epochMicros)) return undefined;
  return {
    epochMicros,
    serverMicros: typeof serverMicros === 'number' && Number.isFinite(serverMicros) ? serverMicros : undefined,
    timeline: typeof timeline === 'string' ? timeline : '',
    era: typeof era === 'number' ? era : 0,
  };
}

interface Stretch {
  readonly fromMillis: number;
  readonly tag: TimelineTag;
}

/** More Eras than this within what is buffered would be noise. */
const maxStretches = 16;

/** The tags of one connection. A tag is valid from the next frame on, not from its own timestamp. */
export class TimelineMap {
  #stretches: Stretch[] = [];
  #pending: TimelineTag | undefined;

  add(tag: TimelineTag): void {
    this.#pending = tag;
  }

  /** Each frame in order; `millis` on the sender's scale. */
  frame(millis: number): void {
    if (this.#pending === undefined) return;
    const fromMillis = this.#stretches.length === 0 ? -Infinity : millis;
    this.#stretches = [...this.#stretches, { fromMillis, tag: this.#pending }].slice(-maxStretches);
    this.#pending = undefined;
  }

  at(millis: number): TimelineTag | undefined {
    return (this.#stretches.findLast((s) => s.fromMillis <= millis) ?? this.#stretches[0])?.tag;
  }
}

/** Wall clock of the server when the picture at `mediaMillis` was taken in, in microseconds since the Unix epoch. */
export const arrivalMicros = (tag: TimelineTag, mediaMillis: number): number => tag.epochMicros + mediaMillis * 1000;

/** Seconds since then; both on the server's clock. */
export const latencySeconds = (nowMicros: number, arrivedMicros: number): number => (nowMicros - arrivedMicros) / 1e6;
