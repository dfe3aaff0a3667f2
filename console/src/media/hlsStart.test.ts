import { expect, it } from 'vitest';
import { mayBegin, type StartInput } from './hlsStart';

const part = 0.5;
const holdBack = 1.5;

const firstPart = { start: 0, end: part };
const first = { live: true, firstPart, partTarget: part, targetDuration: 6, begin: 0, waited: 0 };

/** A stream of this age, of parts of 0.5 s, whose first segments have these lengths. */
function young(age: number, segments: readonly number[], live = true): boolean {
  const edge = Math.floor(age / part) * part;
  let wholeEnd = 0;
  for (const length of segments) if (wholeEnd + length <= edge) wholeEnd += length;
  return mayBegin({ ...first, live, wholeEnd, edge, from: Math.max(0, edge - holdBack) });
}

/** Seconds; the hold-back in parts, as it is set. */
interface Packaging {
  readonly segment: number;
  readonly part: number;
  readonly holdBack: number;
  readonly segments: number;
}

/** What a server lists of a stream of this age: segments down to three target durations, parts of those that begin no further back. */
function listed(age: number, { segment, part: target, holdBack: parts, segments }: Packaging): StartInput {
  const edge = Math.floor(age / target + 1e-9) * target;
  const whole = Math.floor(edge / segment + 1e-9);
  const begin = Math.max(0, whole - Math.max(segments, 3)) * segment;
  const partsFrom = Math.max(begin, Math.ceil((edge - 3 * segment) / segment - 1e-9) * segment);
  const from = Math.min(Math.max(begin, edge - parts * target), edge - target);
  return {
    live: true,
    firstPart: { start: partsFrom, end: partsFrom + target },
    partTarget: target,
    targetDuration: segment,
    begin,
    wholeEnd: whole * segment,
    edge,
    from,
    waited: 0,
  };
}

it('waits until the hold-back of a young stream lies in the segment that grows', () => {
  expect([1, 1.5, 2, 2.5].map((age) => young(age, [1, 6]))).toEqual([false, false, false, false]);
  expect([3, 4, 6.5].map((age) => young(age, [1, 6]))).toEqual([true, true, true]);
});

it('begins in a whole segment when that is long enough for the parts after it', () => {
  expect([7, 7.5, 8].map((age) => young(age, [1, 6]))).toEqual([true, true, true]);
  expect(young(4, [4, 6])).toBe(true);
});

it('waits for a few whole segments when they are short', () => {
  expect([1, 1.5, 2, 2.5, 3, 3.5].map((age) => young(age, [1, 1, 1, 1]))).toEqual([false, false, false, false, true, true]);
});

it('takes an old stream at once, wherever its segment stands', () => {
  for (let open = 0; open < 6; open += part) {
    const edge = 60 + open;
    expect(mayBegin({ ...first, firstPart: { start: 42, end: 42.5 }, wholeEnd: 60, edge, from: edge - holdBack })).toBe(true);
  }
});

it('leaves nothing in between that begins in a segment and is overtaken there', () => {
  // hls.js's own rule, at the moment of the start and one part later.
  for (const wholeEnd of [0.5, 1, 2, 4]) {
    for (let edge = wholeEnd; edge < wholeEnd + 6; edge += part) {
      const from = Math.max(0, edge - holdBack);
      if (!mayBegin({ ...first, wholeEnd, edge, from })) continue;
      const loaded = from < wholeEnd ? wholeEnd : edge;
      expect(loaded).toBeGreaterThanOrEqual(part + (edge - wholeEnd));
      if (from < wholeEnd) expect(loaded).toBeGreaterThanOrEqual(part + (edge + part - wholeEnd));
    }
  }
});

it('does not wait for what will not come', () => {
  expect(young(1, [1], false)).toBe(true);
  expect(mayBegin({ ...first, firstPart: undefined, partTarget: 0, wholeEnd: 12, edge: 12, from: 0 })).toBe(true);
});

const settings: readonly Packaging[] = [
  { segment: 1, part: 1, holdBack: 3, segments: 10 },
  { segment: 2, part: 2, holdBack: 3, segments: 10 },
  { segment: 1, part: 0.5, holdBack: 5, segments: 10 },
  { segment: 1, part: 0.5, holdBack: 20, segments: 10 },
  { segment: 1, part: 0.1, holdBack: 20, segments: 3 },
  { segment: 6, part: 2, holdBack: 20, segments: 10 },
  { segment: 30, part: 2, holdBack: 20, segments: 10 },
  { segment: 6, part: 0.5, holdBack: 3, segments: 10 },
  { segment: 1, part: 1, holdBack: 3, segments: 3 }, // never a segment that is listed without its parts
];

it.each(settings)('takes an old stream at once: segments of $segment s, parts of $part s, $holdBack of them held back', (packaging) => {
  for (let age = 300; age < 300 + 2 * packaging.segment; age += packaging.part) expect(mayBegin(listed(age, packaging))).toBe(true);
});

it.each(settings)('begins while a stream is young: segments of $segment s, parts of $part s, $holdBack of them held back', (packaging) => {
  const { segment, part: target } = packaging;
  let age = target;
  while (!mayBegin(listed(age, packaging)) && age < 100) age += target;
  expect(age).toBeLessThanOrEqual(3 * segment);
});

it('begins after a while in any case, though no playlist brings anything new', () => {
  const stuck = { ...first, wholeEnd: 1, edge: 1.5, from: 0 };
  expect([0, 1, 3.9, 4].map((waited) => mayBegin({ ...stuck, waited }))).toEqual([false, false, false, true]);
});
