import { describe, expect, it } from 'vitest';
import { medianOffset, offsetMicros } from './clock';
import { arrivalMicros, latencySeconds, readTimelineTag, TimelineMap, type TimelineTag } from './timeline';

const sample = (sentMillis: number, receivedMillis: number, serverMicros: number) => ({ sentMillis, receivedMillis, serverMicros });

describe('server clock', () => {
  it('takes half the round trip', () => expect(offsetMicros(sample(1000, 1040, 5_020_000))).toBe(4_000_000));
  it('has no offset without samples', () => expect(medianOffset([])).toBeUndefined());
  it('is not moved by one slow reply', () =>
    expect(medianOffset([sample(0, 10, 1_005_000), sample(20, 30, 1_025_000), sample(40, 1040, 1_045_000), sample(50, 60, 1_055_000), sample(70, 80, 1_075_000)])).toBe(1_000_000));
  it('takes the middle of an even number', () => expect(medianOffset([sample(0, 0, 100), sample(0, 0, 300)])).toBe(200));
});

const tag = (era: number, epochMicros: number): TimelineTag => ({ epochMicros, serverMicros: undefined, timeline: 't', era });

describe('timeline', () => {
  it('reads a tag and refuses one without a time', () => {
    expect(readTimelineTag({ epochMicros: 1.5e15, serverMicros: 2e15, timeline: 'ab', era: 3 })).toEqual({ epochMicros: 1.5e15, serverMicros: 2e15, timeline: 'ab', era: 3 });
    expect(readTimelineTag({ epochMicros: 1 })).toEqual({ epochMicros: 1, serverMicros: undefined, timeline: '', era: 0 });
    expect(readTimelineTag({ epochMicros: 'soon' })).toBeUndefined();
    expect(readTimelineTag({ epochMicros: NaN })).toBeUndefined();
  });
  it('gives the latency', () => expect(latencySeconds(1_700_000_010_800_000, arrivalMicros(tag(0, 1_700_000_000_000_000), 10_000))).toBeCloseTo(0.8));
  it('changes the epoch at the first frame of an Era', () => {
    const map = new TimelineMap();
    expect(map.at(0)).toBeUndefined();
    map.add(tag(0, 1));
    expect(map.at(0)).toBeUndefined();
    map.frame(5000);
    map.add(tag(1, 2));
    map.frame(9000);
    map.frame(9040);
    expect([0, 5000, 8999, 9000, 20_000].map((t) => map.at(t)?.era)).toEqual([0, 0, 0, 1, 1]);
  });
});
