import { expect, it } from 'vitest';
import { removeUntil } from './backBuffer';

const idle = ['IDLE', 'IDLE', 'IDLE'];
const at = (currentTime: number, begin: number | undefined, loaders = idle) => removeUntil({ currentTime, begin, loaders });

it('leaves a minute behind the picture alone, and half of it when there is more', () => {
  expect(at(70, 10)).toBeUndefined();
  expect(at(70.5, 10)).toBe(40.5);
});

it('has nothing to remove from an empty buffer', () => expect(at(100, undefined)).toBeUndefined());

it('waits while a part of the picture or the sound is on its way into the buffer', () => {
  for (const state of ['KEY_LOADING', 'FRAG_LOADING', 'FRAG_LOADING_WAITING_RETRY', 'PARSING', 'PARSED', 'WAITING_INIT_PTS']) {
    expect(at(100, 0, [state, 'IDLE']), state).toBeUndefined();
    expect(at(100, 0, ['IDLE', state]), state).toBeUndefined();
  }
});

it('does not wait for a loader that has nothing to load', () => expect(at(100, 0, ['IDLE', 'STOPPED'])).toBe(70));

it('waits for no loader once three minutes were shown', () => {
  expect(at(180, 0, ['PARSING', 'IDLE'])).toBeUndefined();
  expect(at(180.5, 0, ['PARSING', 'IDLE'])).toBe(150.5);
});

it('keeps what it holds within bounds though some loader is always busy', () => {
  let begin = 0;
  let longest = 0;
  let removals = 0;
  for (let time = 0; time < 1_800; time += 0.25) {
    const until = at(time, begin, ['FRAG_LOADING', 'IDLE']);
    longest = Math.max(longest, time - begin);
    if (until === undefined) continue;
    begin = until;
    removals++;
  }
  expect(longest).toBeLessThan(181);
  expect(removals).toBe(11);
});

it('removes seldom, though a part is on its way half of the time', () => {
  let begin = 0;
  let removals = 0;
  let longest = 0;
  for (let time = 0; time < 600; time += 0.25) {
    const until = at(time, begin, time % 0.5 < 0.25 ? ['PARSING', 'IDLE'] : idle);
    longest = Math.max(longest, time - begin);
    if (until === undefined) continue;
    begin = until;
    removals++;
  }
  expect(longest).toBeLessThan(61);
  expect(removals).toBe(18);
});
