import { describe, expect, it } from 'vitest';
import { baseTarget, catchUp, maxRate, maxTarget, minRate, raiseTarget, relaxTarget, type CatchUpInput } from './catchUp';

const at = (ahead: number, more: Partial<CatchUpInput> = {}) =>
  catchUp({ currentTime: 100, buffered: [[90, 100 + ahead]], rate: 1, target: 0.6, starting: false, ...more });

describe('catchUp', () => {
  it('does nothing without a buffer', () => expect(catchUp({ currentTime: 0, buffered: [], rate: 1.1, target: 0.6, starting: true })).toEqual({ rate: 1 }));

  it.each([
    [0.2, 1, minRate], // thin
    [0.5, minRate, minRate], // refills
    [0.5, 1, 1],
    [0.55, minRate, 1],
    [0.6, 1, 1],
    [0.7, 1, 1], // within the hysteresis
    [0.8, 1, 1.04],
    [1.0, 1, 1.08],
    [1.6, 1, maxRate],
    [3.4, 1, maxRate],
    [0.7, 1.05, 1.02], // already faster: goes on
    [0.62, 1.05, 1], // until it is nearly there
  ])('%f s ahead at rate %f plays at %f', (ahead, rate, expected) => expect(at(ahead, { rate })).toEqual({ rate: expected }));

  it('jumps when it is far behind', () => expect(at(5)).toEqual({ rate: 1, seekTo: 104.4, why: 'behind' }));
  it('jumps to the live edge at the start', () => {
    expect(at(2, { starting: true })).toEqual({ rate: 1, seekTo: 101.4, why: 'start' });
    expect(at(0.7, { starting: true }).seekTo).toBeUndefined();
  });
  it('never seeks outside of the last range', () => {
    expect(catchUp({ currentTime: 100, buffered: [[90, 100.02], [104, 104.1]], rate: 1, target: 0.6, starting: false })).toEqual({ rate: 1, seekTo: 104, why: 'gap' });
    expect(catchUp({ currentTime: 0, buffered: [[0.04, 0.2]], rate: 1, target: 0.6, starting: true })).toEqual({ rate: 1, seekTo: 0.04, why: 'gap' });
  });
  it('plays the rest of a range before it crosses a gap', () =>
    expect(catchUp({ currentTime: 100, buffered: [[90, 101], [101.5, 102]], rate: 1, target: 0.6, starting: false }).seekTo).toBeUndefined());

  it.each([0.1, 2.6])('settles near the target from %f s', (first) => {
    let currentTime = 0, rate = 1;
    for (let edge = first; edge < 62; edge += 0.25) {
      const action = catchUp({ currentTime, buffered: [[0, edge]], rate, target: 0.6, starting: false });
      expect(action.seekTo).toBeUndefined();
      rate = action.rate;
      currentTime += 0.25 * rate;
    }
    expect(62 - currentTime).toBeGreaterThan(0.4);
    expect(62 - currentTime).toBeLessThan(1.05);
  });
});

describe('target', () => {
  it('rises with stalls to its bound', () => {
    expect(raiseTarget(baseTarget)).toBeCloseTo(0.9);
    expect(raiseTarget(1.9)).toBe(maxTarget);
  });
  it('relaxes to the base', () => {
    expect(relaxTarget(1, 10)).toBeCloseTo(0.9);
    expect(relaxTarget(0.61, 60)).toBe(baseTarget);
  });
});
