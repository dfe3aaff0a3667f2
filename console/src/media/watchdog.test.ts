import { expect, it } from 'vitest';
import { whyGiveUp, type WatchInput } from './watchdog';

const now = 100_000;
const fine: WatchInput = { now, bytes: 1_000, lastBytesMillis: now - 100, movedMillis: now - 100, ahead: 1.5, stalled: false, isFlv: false, hidden: false };
const at = (change: Partial<WatchInput>) => whyGiveUp({ ...fine, ...change });

it('leaves a connection alone that brings bytes and moves the picture', () => expect(at({})).toBeUndefined());

it('gives up after 20 s without a byte, or 8 s without the first one of FLV', () => {
  expect([19_900, 20_100].map((ms) => at({ lastBytesMillis: now - ms }))).toEqual([undefined, 'no data']);
  expect([7_900, 8_100].map((ms) => at({ bytes: 0, isFlv: true, lastBytesMillis: now - ms }))).toEqual([undefined, 'no data']);
  expect(at({ bytes: 0, lastBytesMillis: now - 8_100 })).toBeUndefined();
});

it('gives up a picture that stands for 8 s although there is media for it', () => {
  expect([7_900, 8_100].map((ms) => at({ movedMillis: now - ms }))).toEqual([undefined, 'picture does not move']);
  expect(at({ movedMillis: now - 8_100, ahead: 0, stalled: true })).toBe('picture does not move');
});

it('waits 20 s where nothing came that could be shown', () => {
  const dry = { ahead: 0.1, lastBytesMillis: now - 3_000, stalled: true };
  expect([8_100, 20_100].map((ms) => at({ ...dry, movedMillis: now - ms }))).toEqual([undefined, 'picture does not move']);
});

it('does not blame a page that nobody sees, nor one to which no byte has come', () => {
  expect(at({ movedMillis: now - 60_000, hidden: true })).toBeUndefined();
  expect(at({ movedMillis: now - 60_000, bytes: 0 })).toBeUndefined();
});
