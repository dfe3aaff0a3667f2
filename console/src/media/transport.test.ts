import { describe, expect, it } from 'vitest';
import { beginTrial, candidates, isBlocked, readChoice, ruleOut, strike, whyNone, type Trial } from './transport';

const desktop = { mse: true, nativeHls: false };
const safari = { mse: true, nativeHls: true };
const oldPhone = { mse: false, nativeHls: true };

describe('candidates', () => {
  it('tries the least delay first', () => {
    expect(candidates('auto', desktop)).toEqual(['flv', 'll-hls']);
    expect(candidates('auto', safari)).toEqual(['flv', 'll-hls', 'hls']);
  });
  it('leaves the playlist to a browser without Media Source Extensions', () => {
    expect(candidates('auto', oldPhone)).toEqual(['hls']);
    expect(candidates('hls', oldPhone)).toEqual(['hls']);
    expect(candidates('flv', oldPhone)).toEqual([]);
  });
  it('keeps to what the viewer chose', () => {
    expect(candidates('flv', safari)).toEqual(['flv']);
    expect(candidates('ws', safari)).toEqual(['ws-flv']);
    expect(candidates('hls', safari)).toEqual(['ll-hls', 'hls']);
  });
  it('reads a choice, and anything else as none', () => expect(['flv', 'ws', 'hls', 'auto', 'pigeon', null].map(readChoice)).toEqual(['flv', 'ws', 'hls', 'auto', 'auto', 'auto']));
});

describe('a trial', () => {
  const begun = beginTrial(['flv', 'll-hls', 'hls']);
  const ways = (trial: Trial, next: (t: Trial) => Trial, times: number) => Array.from({ length: times }, () => (trial = next(trial)).current);

  it('goes through the ways that cannot play the stream, to the end', () => {
    expect(ways(begun, (t) => ruleOut(t, undefined), 4)).toEqual(['ll-hls', 'hls', undefined, undefined]);
  });
  it('does not come back to a way that was ruled out', () => {
    const hlsOnly = ruleOut(begun, undefined);
    expect(ways(hlsOnly, strike, 6)).toEqual(['ll-hls', 'hls', 'hls', 'll-hls', 'll-hls', 'hls']);
  });
  it('keeps the last reason that names something', () => {
    const notInFlv = { text: 'no VP9 in FLV', final: false };
    const noDecoder = { text: 'no decoder for VP9', final: true };
    expect(ruleOut(ruleOut(begun, notInFlv), undefined).reason).toBe(notInFlv);
    expect(ruleOut(ruleOut(begun, notInFlv), noDecoder).reason).toBe(noDecoder);
  });
  it('goes on with the next way after two failures without a picture, round and round', () => {
    expect(ways(begun, strike, 7)).toEqual(['flv', 'll-hls', 'll-hls', 'hls', 'hls', 'flv', 'flv']);
  });
  it('stays with the only way', () => {
    expect(ways(beginTrial(['ws-flv']), strike, 3)).toEqual(['ws-flv', 'ws-flv', 'ws-flv']);
    expect(ways(beginTrial([]), strike, 2)).toEqual([undefined, undefined]);
  });
  it('returns to an earlier way when the last one is ruled out', () => {
    const last = strike(strike(strike(strike(begun))));
    expect(last.current).toBe('hls');
    expect(ruleOut(last, undefined).current).toBe('flv');
  });
});

describe('whyNone', () => {
  const none = beginTrial([]);
  const noDecoder = { text: 'No decoder.', final: true };
  const notInFlv = { text: 'Not in FLV.', final: false };

  it('says what is missing', () => {
    expect(whyNone(none, 'auto', { mse: false, nativeHls: false })).toBe('It has no Media Source Extensions.');
    expect(whyNone(none, 'auto', desktop)).toBe('It comes in a form that this browser cannot play.');
    expect(whyNone(ruleOut(beginTrial(['hls']), noDecoder), 'hls', oldPhone)).toBe('No decoder.');
  });
  it('points to the other ways where one of them may do', () => {
    const ruled = (reason: typeof noDecoder) => whyNone(ruleOut(beginTrial(['flv']), reason), 'flv', desktop);
    expect(ruled(notInFlv)).toBe('Not in FLV. Another way of receiving it may do: choose Auto below.');
    expect(ruled(noDecoder)).toBe('No decoder.');
  });
});

describe('isBlocked', () => {
  it('blames the way for a refusal that the stream itself never causes', () => expect([400, 406, 451].every((s) => isBlocked(s, false))).toBe(true));
  it('leaves access, absence and codecs to those who handle them', () => expect([200, 0, 401, 403, 404, 405, 415, 429].some((s) => isBlocked(s, true))).toBe(false));
  it('blames it for a server error only in place of the media', () => {
    expect([500, 502, 504].map((s) => [isBlocked(s, true), isBlocked(s, false)])).toEqual([[true, false], [true, false], [true, false]]);
    expect(isBlocked(503, true)).toBe(false);
  });
});
