import { describe, expect, it } from 'vitest';
import { parseScriptTag } from './amf';
import { enhancedVideo, legacyVideo } from './codecs';
import { FlvFormatError, FlvReader, leadMillis, type FlvEvents } from './flv';

const header = [0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0];
const u32 = (n: number) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
const ascii = (s: string) => [...s].map((c) => c.charCodeAt(0));
const tag = (type: number, timestamp: number, body: number[]) => [
  type, ...u32(body.length).slice(1), ...u32(timestamp).slice(1), timestamp >>> 24, 0, 0, 0, ...body, ...u32(11 + body.length),
];
const number = (n: number) => [0, ...new Uint8Array(new Float64Array([n]).buffer).reverse()];
const string = (s: string) => [0, s.length, ...ascii(s)];
const timeline = (epoch: number) => [2, ...string('onTimeline'), 8, 0, 0, 0, 2, ...string('epochMicros'), ...number(epoch), ...string('timeline'), 2, ...string('ab'), 0, 0, 9];
const metadata = [2, ...string('onMetaData'), 3, ...string('width'), ...number(1280), 0, 0, 9];
const avcConfig = [0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff];
const avcKey = [0x17, 1, 0, 0, 0, 9, 9, 9];
const aac = [0xaf, 1, 7, 7];

const read = (bytes: number[], step = bytes.length) => {
  const seen: unknown[] = [];
  const events: FlvEvents = {
    onTimeline: (v) => seen.push(['timeline', v['epochMicros']]),
    onCodec: (c) => seen.push(['codec', c.label]),
    onFrame: (kind, millis, key) => seen.push([kind, millis, key]),
  };
  const reader = new FlvReader(events);
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at += step) out.push(...(reader.push(Uint8Array.from(bytes.slice(at, at + step))) ?? []));
  return { out, seen, shift: reader.shiftMillis };
};

describe('FlvReader', () => {
  const stream = [...header, ...tag(18, 0, timeline(1.7e15)), ...tag(18, 0, metadata), ...tag(9, 0, avcConfig), ...tag(9, 5000, avcKey), ...tag(8, 4990, aac), ...tag(8, 5010, aac)];
  const expected = [...header, ...tag(18, 0, metadata), ...tag(9, 0, avcConfig), ...tag(9, leadMillis, avcKey), ...tag(8, leadMillis - 10, aac), ...tag(8, leadMillis + 10, aac)];

  it('rebases, reports and leaves the timeline out', () => {
    const { out, seen, shift } = read(stream);
    expect(out).toEqual(expected);
    expect(shift).toBe(5000 - leadMillis);
    expect(seen).toEqual([['timeline', 1.7e15], ['codec', 'H.264'], ['video', leadMillis, true], ['audio', leadMillis - 10, false], ['audio', leadMillis + 10, false]]);
  });
  it('gives the same for every way to cut the input', () => {
    const whole = read(stream);
    for (let step = 1; step < stream.length; step++) expect(read(stream, step)).toEqual(whole);
  });
  it('takes every truncation, holding back what is not whole', () => {
    for (let end = 0; end < stream.length; end++) {
      const { out } = read(stream.slice(0, end));
      expect(expected.slice(0, out.length)).toEqual(out);
    }
  });
  it.each([[2 ** 31 - 20], [2 ** 32 - 20]])('crosses %d ms', (first) => {
    const { seen } = read([...header, ...[0, 20, 40].flatMap((t) => tag(8, (first + t) % 2 ** 32, aac))]);
    expect(seen).toEqual([0, 20, 40].map((t) => ['audio', leadMillis + t, false]));
  });
  it('refuses what is not FLV', () => expect(() => read(ascii('<!doctype html><title>'))).toThrow(FlvFormatError));

  it('turns enhanced H.264 and AAC into their legacy form', () => {
    const { out } = read([
      ...header,
      ...tag(9, 0, [0x90, ...ascii('avc1'), 1, 0x64, 0, 0x1f]),
      ...tag(9, 0, [0x91, ...ascii('avc1'), 0, 0, 40, 1, 2]),
      ...tag(9, 33, [0xa3, ...ascii('avc1'), 3, 4]),
      ...tag(8, 0, [0x90, ...ascii('mp4a'), 0x12, 0x10]),
      ...tag(8, 0, [0x91, ...ascii('mp4a'), 5, 6]),
    ]);
    expect(out).toEqual([
      ...header,
      ...tag(9, 0, [0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f]),
      ...tag(9, leadMillis, [0x17, 1, 0, 0, 40, 1, 2]),
      ...tag(9, leadMillis + 33, [0x27, 1, 0, 0, 0, 3, 4]),
      ...tag(8, leadMillis, [0xaf, 0, 0x12, 0x10]),
      ...tag(8, leadMillis, [0xaf, 1, 5, 6]),
    ]);
  });
  it('leaves out what mpegts.js stops at', () => {
    const colour = [0x94, ...ascii('hvc1'), 2, 0, 1, 65];
    const multitrack = [0x96, ...ascii('hvc1'), 1];
    const cue = [2, ...string('onCuePoint'), 5];
    expect(read([...header, ...tag(9, 0, colour), ...tag(9, 0, multitrack), ...tag(18, 0, cue), ...tag(18, 0, [9, 9, 9]), ...tag(15, 0, [1])]).out).toEqual(header);
  });
  it('keeps HEVC, AV1, Opus as they are', () => {
    const bodies: [number, number[]][] = [[9, [0x93, ...ascii('hvc1'), 1]], [9, [0x91, ...ascii('av01'), 1]], [8, [0x91, ...ascii('Opus'), 1]]];
    for (const [type, body] of bodies) expect(read([...header, ...tag(type, 7, body)]).out).toEqual([...header, ...tag(type, leadMillis, body)]);
  });
});

describe('parseScriptTag', () => {
  it('reads objects, arrays and nesting', () => {
    const body = [2, ...string('x'), 3, ...string('a'), 1, 1, ...string('b'), 10, 0, 0, 0, 2, 5, ...number(2), ...string('c'), 3, ...string('d'), 2, ...string('e'), 0, 0, 9, 0, 0, 9];
    expect(parseScriptTag(Uint8Array.from(body))).toEqual({ name: 'x', value: { a: true, b: [null, 2], c: { d: 'e' } } });
  });
  it('refuses every truncation without a throw', () => {
    const body = timeline(1.7e15);
    for (let end = 0; end < body.length; end++) expect(parseScriptTag(Uint8Array.from(body.slice(0, end)))).toBeUndefined();
    expect(parseScriptTag(Uint8Array.from([2, ...string('x'), ...Array.from({ length: 40 }, () => [10, 0, 0, 0, 1]).flat()]))).toBeUndefined();
    expect(parseScriptTag(Uint8Array.from([2, ...string('x'), 10, 255, 255, 255, 255]))).toBeUndefined();
  });
});

describe('codec names', () => {
  it('follow RFC 6381', () => {
    expect(legacyVideo(7, Uint8Array.from([1, 0x64, 0, 0x1f])).mime).toBe('video/mp4; codecs="avc1.64001f"');
    const hvcc = Uint8Array.from([1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93]);
    expect(enhancedVideo('hvc1', hvcc).mime).toBe('video/mp4; codecs="hvc1.1.6.L93.90"');
    expect(enhancedVideo('av01', Uint8Array.from([0x81, 0x08, 0x0c, 0])).mime).toBe('video/mp4; codecs="av01.0.08M.08"');
    expect(enhancedVideo('vp09', new Uint8Array())).toEqual({ kind: 'video', label: 'VP9', mime: undefined });
  });
});
