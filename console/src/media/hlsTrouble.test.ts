import { describe, expect, it } from 'vitest';
import { judge, type HlsTrouble } from './hlsTrouble';

const network = (details: string, status: number | undefined, fatal = true): HlsTrouble => ({ type: 'networkError', details, fatal, status, recovered: false });
const media = (details: string, fatal = true, recovered = false): HlsTrouble => ({ type: 'mediaError', details, fatal, status: undefined, recovered });

describe('judge', () => {
  it.each<[string, HlsTrouble, string]>([
    ['a stream that is not live', network('manifestLoadError', 404), 'status'],
    ['a stream that is not allowed', network('manifestLoadError', 403), 'status'],
    ['codecs that the server cannot carry', network('manifestLoadError', 415), 'status'],
    ['a stream that is not ready', network('manifestLoadError', 503), 'status'],
    ['no answer at all', network('manifestLoadError', 0), 'failed'],
    ['no answer in time', network('manifestLoadTimeOut', undefined), 'failed'],
    ['a chunklist that is gone', network('levelLoadError', 404), 'closed'],
    ['a chunklist that is gone, which hls.js would ask for again', network('audioTrackLoadError', 404, false), 'closed'],
    ['a token that ran out', network('levelLoadError', 403), 'status'],
    ['a blocked playlist answered with 503, to be asked for again', network('levelLoadError', 503, false), 'ignore'],
    ['503 for too long', network('levelLoadError', 503), 'failed'],
    ['a playlist with parts and no whole segment', network('levelEmptyError', 200), 'empty'],
    ['a part that fell out of the window', network('fragLoadError', 404, false), 'ignore'],
    ['a network that is gone', network('fragLoadTimeOut', undefined), 'failed'],
    ['a short stall', media('bufferStalledError', false), 'ignore'],
    ['a decoder that gave up', media('bufferAppendError'), 'recover'],
    ['a decoder that gave up again', media('bufferAppendError', true, true), 'failed'],
    ['no decoder for the listed codecs', media('manifestIncompatibleCodecsError'), 'unsupported'],
    ['no decoder for the codec in the media', media('bufferAddCodecError'), 'unsupported'],
    ['an error inside hls.js', { ...media('internalException'), type: 'otherError' }, 'failed'],
  ])('%s', (_, trouble, verdict) => expect(judge(trouble)).toBe(verdict));
});
