/** Whether a multivariant playlist still offers what it did when playing began. */

import { listedCodecs } from './codecs';

const attribute = (line: string, name: string): string => new RegExp(`[:,]${name}=("[^"]*"|[^,]*)`).exec(line)?.[1] ?? '';

const variantsOf = (lines: readonly string[]): string[] => lines.filter((l) => l.startsWith('#EXT-X-STREAM-INF:'));
const codecsOf = (variant: string): string => attribute(variant, 'CODECS').replaceAll('"', '');

/** CODECS of each variant. */
export const codecLists = (multivariant: string): string[] => variantsOf(multivariant.split(/\r?\n/)).map(codecsOf);

/**
 * The tracks, without what may change under a player (bandwidth, resolution, a codec's parameters, the names of the chunklists).
 * hls.js reads this playlist once: tracks that a publisher adds when he comes back would never be seen.
 */
export function trackList(multivariant: string): string {
  const lines = multivariant.split(/\r?\n/);
  const media = lines
    .filter((l) => l.startsWith('#EXT-X-MEDIA:'))
    .map((l) => ['TYPE', 'NAME', 'LANGUAGE'].map((name) => attribute(l, name)).join(' '));
  const variants = variantsOf(lines).map((l) => listedCodecs(codecsOf(l)).map((c) => c.kind).sort().join(' '));
  return [...media, ...variants].sort().join('\n');
}
