/** Names of codecs: for MediaSource.isTypeSupported (RFC 6381) and for people. */

export interface Codec {
  readonly kind: 'video' | 'audio';
  /** For a person: "H.264". */
  readonly label: string;
  /** For the browser; undefined when the FLV demuxer cannot carry it at all. */
  readonly mime: string | undefined;
}

const hex = (value: number, digits = 2): string => value.toString(16).padStart(digits, '0');
const video = (label: string, codec: string): Codec => ({ kind: 'video', label, mime: `video/mp4; codecs="${codec}"` });
const audio = (label: string, mime: string | undefined): Codec => ({ kind: 'audio', label, mime });

/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1. */
function avc(record: Uint8Array): Codec {
  const [, profile = 0x42, constraints = 0, level = 0x1e] = record;
  return video('H.264', `avc1.${hex(profile)}${hex(constraints)}${hex(level)}`);
}

/** HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1, to the codec string of its annex E.3. */
function hevc(record: Uint8Array): Codec {
  if (record.length < 13) return video('HEVC (H.265)', 'hvc1.1.6.L93.B0');
  const view = new DataView(record.buffer, record.byteOffset);
  const first = view.getUint8(1);
  let flags = view.getUint32(2);
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++, flags >>>= 1) reversed = ((reversed << 1) | (flags & 1)) >>> 0;
  const constraints = Array.from(record.subarray(6, 12));
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const parts = [
    `${['', 'A', 'B', 'C'][first >> 6] ?? ''}${first & 31}`,
    reversed.toString(16),
    `${(first & 32) !== 0 ? 'H' : 'L'}${view.getUint8(12)}`,
    ...constraints.map((c) => c.toString(16)),
  ];
  return video('HEVC (H.265)', `hvc1.${parts.join('.')}`);
}

/** AV1CodecConfigurationRecord, AV1-ISOBMFF §2.3.3. */
function av1(record: Uint8Array): Codec {
  const [, second = 0, third = 0] = record;
  const profile = second >> 5;
  const highDepth = (third & 0x40) !== 0;
  const depth = profile === 2 && (third & 0x20) !== 0 ? 12 : highDepth ? 10 : 8;
  const level = String(second & 31).padStart(2, '0');
  return video('AV1', `av01.${profile}.${level}${(third & 0x80) !== 0 ? 'H' : 'M'}.${String(depth).padStart(2, '0')}`);
}

/** FLV 10.1 annex E.4.3.1 CodecID; 12 is the common extension for HEVC. */
export function legacyVideo(codecId: number, record: Uint8Array): Codec {
  if (codecId === 7) return avc(record);
  if (codecId === 12) return hevc(record);
  const names: Record<number, string> = { 2: 'Sorenson H.263', 4: 'VP6', 5: 'VP6 with alpha', 13: 'AV1 (CodecID 13)' };
  return { kind: 'video', label: names[codecId] ?? `video codec ${codecId}`, mime: undefined };
}

/** Enhanced RTMP v2, section "Enhanced Video": FourCC. */
export function enhancedVideo(fourCc: string, record: Uint8Array): Codec {
  if (fourCc === 'avc1') return avc(record);
  if (fourCc === 'hvc1') return hevc(record);
  if (fourCc === 'av01') return av1(record);
  const names: Record<string, string> = { vp08: 'VP8', vp09: 'VP9', vvc1: 'VVC (H.266)' };
  return { kind: 'video', label: names[fourCc] ?? fourCc, mime: undefined };
}

/** FLV 10.1 annex E.4.2.1 SoundFormat. */
export function legacyAudio(soundFormat: number): Codec {
  if (soundFormat === 10) return audio('AAC', 'audio/mp4; codecs="mp4a.40.2"');
  if (soundFormat === 2) return audio('MP3', 'audio/mpeg');
  const names: Record<number, string> = {
    0: 'PCM', 1: 'ADPCM', 3: 'PCM', 4: 'Nellymoser', 5: 'Nellymoser', 6: 'Nellymoser', 7: 'G.711 A-law', 8: 'G.711 µ-law', 11: 'Speex', 13: 'Opus (SoundFormat 13)',
  };
  return audio(names[soundFormat] ?? `audio codec ${soundFormat}`, undefined);
}

/** Enhanced RTMP v2, section "Enhanced Audio": FourCC. */
export function enhancedAudio(fourCc: string): Codec {
  if (fourCc === 'mp4a') return audio('AAC', 'audio/mp4; codecs="mp4a.40.2"');
  if (fourCc === 'Opus') return audio('Opus', 'audio/mp4; codecs="opus"');
  if (fourCc === 'fLaC') return audio('FLAC', 'audio/mp4; codecs="flac"');
  const names: Record<string, string> = { '.mp3': 'MP3 (FourCC)', 'ac-3': 'Dolby AC-3', 'ec-3': 'Dolby E-AC-3' };
  return audio(names[fourCc] ?? fourCc, undefined);
}

const sampleEntries: readonly (readonly [start: RegExp, kind: Codec['kind'], label: string])[] = [
  [/^avc[13]\./, 'video', 'H.264'],
  [/^(hvc1|hev1)\./, 'video', 'HEVC (H.265)'],
  [/^av01\./, 'video', 'AV1'],
  [/^vp09\./, 'video', 'VP9'],
  [/^vp08\./, 'video', 'VP8'],
  [/^(vvc1|vvi1)\./, 'video', 'VVC (H.266)'],
  [/^mp4a\.(40\.34|6b|69)$/i, 'audio', 'MP3'],
  [/^mp4a\./, 'audio', 'AAC'],
  [/^opus$/i, 'audio', 'Opus'],
  [/^flac$/i, 'audio', 'FLAC'],
  [/^ac-3$/, 'audio', 'Dolby AC-3'],
  [/^ec-3$/, 'audio', 'Dolby E-AC-3'],
];

/** Apple writes the two as in the sample entry (`Opus`, `fLaC`), browsers know them in small letters. */
const browserName = (codec: string): string => (/^(opus|flac)$/i.test(codec) ? codec.toLowerCase() : codec);

/** RFC 8216bis CODECS: names of RFC 6381, separated by commas. Unknown ones are taken for video. */
export const listedCodecs = (list: string): Codec[] =>
  list
    .split(',')
    .map((c) => c.trim())
    .filter((c) => c !== '')
    .map((codec) => {
      const [, kind = 'video', label = codec] = sampleEntries.find(([start]) => start.test(codec)) ?? [];
      return (kind === 'video' ? video : audio)(label, kind === 'video' ? codec : `audio/mp4; codecs="${browserName(codec)}"`);
    });
