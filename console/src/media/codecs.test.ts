import { expect, it } from 'vitest';
import { listedCodecs } from './codecs';

it('reads the CODECS of a playlist', () => {
  expect(listedCodecs('avc1.64001f, mp4a.40.2')).toEqual([
    { kind: 'video', label: 'H.264', mime: 'video/mp4; codecs="avc1.64001f"' },
    { kind: 'audio', label: 'AAC', mime: 'audio/mp4; codecs="mp4a.40.2"' },
  ]);
  expect(listedCodecs('hvc1.1.6.L93.B0,vp09.00.31.08,av01.0.05M.08,mp4a.40.34').map((c) => c.label)).toEqual(['HEVC (H.265)', 'VP9', 'AV1', 'MP3']);
  expect(listedCodecs('')).toEqual([]);
});

it('writes Opus and FLAC as browsers know them', () =>
  expect(listedCodecs('Opus,fLaC').map((c) => c.mime)).toEqual(['audio/mp4; codecs="opus"', 'audio/mp4; codecs="flac"']));

it('names a codec it does not know by its own name', () =>
  expect(listedCodecs('xyz1.2')).toEqual([{ kind: 'video', label: 'xyz1.2', mime: 'video/mp4; codecs="xyz1.2"' }]));
