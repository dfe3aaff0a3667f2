import { expect, it } from 'vitest';
import { describeAge, describeAudio, describeVideo, readList } from './streams';

it('reads the list, with the RTMP port by default 1935', () => {
  const stream = { name: 'live/demo', vhost: 'default', app: 'live', stream: 'demo', viewers: 1, since: '2026-11-20T12:00:00Z' };
  expect(readList({ streams: [stream, { nonsense: true }], rtmpPort: 19350 })).toEqual({ kind: 'list', streams: [stream], rtmpPort: 19350, fetches: false });
  expect(readList({ streams: [] })).toEqual({ kind: 'list', streams: [], rtmpPort: 1935, fetches: false });
  expect(readList({ streams: [], fetches: true })).toMatchObject({ fetches: true });
  for (const bad of [null, [], 'x', {}, { streams: 1 }]) expect(readList(bad)).toEqual({ kind: 'error' });
});

it('describes media for people', () => {
  expect(describeVideo('h264 1280x720@30')).toBe('720p30 · H.264');
  expect(describeVideo('hevc 1080x1920@59.94')).toBe('1080p60 · HEVC');
  expect(describeVideo('av1 640x360')).toBe('360p · AV1');
  expect(describeVideo('h264')).toBe('H.264');
  expect(describeVideo('something else')).toBe('something else');
  expect(describeAudio('aac 44100 Hz')).toBe('AAC 44.1 kHz');
  expect(describeAudio('opus')).toBe('Opus');
});

it('describes an age', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  const ago = (seconds: number) => describeAge(new Date(now - seconds * 1000).toISOString(), now);
  expect([-5, 0, 59, 60, 3599, 3600, 12_000, 200_000].map(ago)).toEqual(['0 s', '0 s', '59 s', '1 min', '59 min', '1 h', '3 h 20 min', '2 days']);
  expect(describeAge('soon', now)).toBe('');
});
