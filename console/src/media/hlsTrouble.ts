/** What to do about an error that hls.js reports. Pure: the names are hls.js's ErrorTypes and ErrorDetails. */

export interface HlsTrouble {
  readonly type: string;
  readonly details: string;
  /** hls.js has given up on it. */
  readonly fatal: boolean;
  /** HTTP status of the answer; 0 or undefined without one. */
  readonly status: number | undefined;
  /** Its media recovery was tried on this connection already. */
  readonly recovered: boolean;
}

export type HlsVerdict =
  | 'ignore' // hls.js goes on by itself
  | 'status' // the server's answer says what is wrong with the stream
  | 'empty' // there is no whole segment yet: hls.js cannot begin with parts alone
  | 'closed' // the stream has ended or begun anew: ask
  | 'unsupported'
  | 'recover' // a fresh decoder may help
  | 'failed'; // a fresh connection may help

const multivariant = ['manifestLoadError', 'manifestLoadTimeOut'];
const playlists = ['levelLoadError', 'audioTrackLoadError'];
const codecs = ['manifestIncompatibleCodecsError', 'bufferAddCodecError', 'bufferIncompatibleCodecsError'];
const isRefusal = (status: number | undefined): boolean => status === 401 || status === 403;
const isGone = (status: number | undefined): boolean => status === 404 || status === 410;

export function judge({ type, details, fatal, status, recovered }: HlsTrouble): HlsVerdict {
  if (fatal && codecs.includes(details)) return 'unsupported';
  if (fatal && multivariant.includes(details)) return status === undefined || status < 400 ? 'failed' : 'status';
  // A chunklist's name is good for one run of the stream: hls.js would go on asking for it.
  if (playlists.includes(details) && isGone(status)) return 'closed';
  if (!fatal) return 'ignore';
  if (details === 'levelEmptyError') return 'empty';
  if (isRefusal(status)) return 'status';
  return type === 'mediaError' && !recovered ? 'recover' : 'failed';
}
