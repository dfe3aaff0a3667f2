/** What this browser can do. */

import type { Codec } from './codecs';
import type { Abilities, Reason } from './transport';

/** iPhones have only the managed form. */
const mediaSource = (): typeof MediaSource | undefined =>
  globalThis.MediaSource ?? (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource;

export const detectAbilities = (video: HTMLVideoElement): Abilities => ({
  mse: mediaSource() !== undefined,
  nativeHls: video.canPlayType('application/vnd.apple.mpegurl') !== '',
});

/** Undefined when this browser plays it. */
export function whyUnsupported({ kind, label, mime }: Codec): Reason | undefined {
  if (mime === undefined) return { text: `Its ${kind} is ${label}, which this page cannot play.`, final: false };
  if (mediaSource()?.isTypeSupported(mime) === true) return undefined;
  // Chromium has a decoder for it, but not in fragmented MP4.
  if (label === 'MP3' && mediaSource()?.isTypeSupported('audio/mpeg') === true) return { text: 'Its audio is MP3, which this browser does not play in HLS.', final: false };
  return { text: `Its ${kind} is ${label}, for which this browser has no decoder.`, final: true };
}
