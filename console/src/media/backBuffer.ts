/** How much of what was shown LL-HLS keeps in memory. Pure: called each time a part is in the buffer. Seconds on one timeline. */

export interface BackBufferInput {
  readonly currentTime: number;
  /** Where the buffer begins; undefined while it is empty. */
  readonly begin: number | undefined;
  /** What each loader of hls.js is doing, by the names of its State. */
  readonly loaders: readonly string[];
}

/** So much is kept at most, and so much is left: longer than a segment, as the one that is played must stay whole. */
const most = 60;
const least = 30;

/** Beyond this memory counts for more than a picture that may stand for a while: loaders need not ever be quiet at the same time. */
const limit = 180;

const quiet = ['IDLE', 'STOPPED'];

/**
 * Where that ends which is to be removed; undefined while nothing is.
 *
 * In place of backBufferLength of hls.js 1.7.4, which removes each time the picture comes to another segment, whatever is on
 * its way just then. When a part is loaded and not yet in the buffer, FragmentTracker.detectEvictedFragments takes the open
 * segment for one that is gone, and all its parts count as not loaded. At that segment's end hls.js chooses it again instead of
 * the next one, finds that it is buffered, and loads nothing until its parts are listed no more: the picture stands for ten seconds.
 *
 * To be asked when a part has just come into the buffer: when nothing else is on its way then, nothing will be until the
 * next playlist, and SourceBuffer takes the removal next. At any other moment a part may be loaded before its turn comes.
 */
export function removeUntil({ currentTime, begin, loaders }: BackBufferInput): number | undefined {
  if (begin === undefined || currentTime - begin <= most) return undefined;
  const isTime = currentTime - begin > limit || loaders.every((state) => quiet.includes(state));
  return isTime ? currentTime - least : undefined;
}
