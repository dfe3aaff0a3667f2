import { expect, it } from 'vitest';
import { pace } from './pace';

const target = 1.5;
const at = (latency: number, rate = 1, starting = false) => pace({ latency, target, rate, starting });

it('leaves a small difference alone', () => expect([1.2, 1.5, 1.7].map((l) => at(l).rate)).toEqual([1, 1, 1]));

it('plays a little faster from further behind, until the target is reached', () => {
  expect(at(1.8).rate).toBe(1.05);
  expect(at(1.6, 1.05).rate).toBe(1.05);
  expect(at(1.52, 1.05).rate).toBe(1);
});

it('plays a little slower when a late part would stall it, until there is room again', () => {
  expect(at(1).rate).toBe(0.96);
  expect(at(1.35, 0.96).rate).toBe(0.96);
  expect(at(1.45, 0.96).rate).toBe(1);
});

it('jumps when it is too far behind', () => {
  expect(at(3.9).jump).toBe(false);
  expect(at(4.1, 1.05)).toEqual({ rate: 1, jump: true });
});

it('jumps at the start to spare the viewer half a minute of playing faster', () => {
  expect(at(1.8, 1, true)).toEqual({ rate: 1.05, jump: false });
  expect(at(2.5, 1, true)).toEqual({ rate: 1, jump: true });
});

it('arrives from both sides and stays', () => {
  for (const start of [3.5, 0.6]) {
    let latency = start;
    let rate = 1;
    let changes = 0;
    for (let seconds = 0; seconds < 120; seconds += 0.25) {
      const next = pace({ latency, target, rate, starting: false }).rate;
      if (next !== rate) changes++;
      rate = next;
      latency += (1 - rate) * 0.25;
    }
    expect(Math.abs(latency - target)).toBeLessThan(0.12);
    expect(changes).toBe(2);
  }
});
