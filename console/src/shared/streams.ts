/** `GET /~/streams`: the small public list of live streams on the media port. */

export interface LiveStream {
  /** `app/stream`. */
  readonly name: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** For people: "h264 1280x720@30". */
  readonly video?: string;
  /** For people: "aac 48000 Hz". */
  readonly audio?: string;
  readonly viewers: number;
  /** RFC 3339. */
  readonly since: string;
}

export type ListReply =
  | { readonly kind: 'list'; readonly streams: readonly LiveStream[]; readonly rtmpPort: number; /** There may be more, which come when somebody asks for them. */ readonly fetches: boolean }
  | { readonly kind: 'off' } // `page.list: false`
  | { readonly kind: 'error' };

const defaultRtmpPort = 1935;
const requestTimeoutMillis = 5_000;

export async function fetchStreams(signal?: AbortSignal): Promise<ListReply> {
  try {
    const timeout = AbortSignal.timeout(requestTimeoutMillis);
    const reply = await fetch('/~/streams', {
      cache: 'no-store',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (reply.status === 404 || reply.status === 401 || reply.status === 403) return { kind: 'off' };
    if (!reply.ok) return { kind: 'error' };
    return readList(await reply.json());
  } catch {
    return { kind: 'error' };
  }
}

export function readList(body: unknown): ListReply {
  if (typeof body !== 'object' || body === null || !('streams' in body) || !Array.isArray(body.streams)) return { kind: 'error' };
  const port = 'rtmpPort' in body && typeof body.rtmpPort === 'number' ? body.rtmpPort : defaultRtmpPort;
  return { kind: 'list', streams: body.streams.filter(isStream), rtmpPort: port, fetches: 'fetches' in body && body.fetches === true };
}

const isStream = (s: unknown): s is LiveStream =>
  typeof s === 'object' && s !== null && 'app' in s && typeof s.app === 'string' && 'stream' in s && typeof s.stream === 'string';

const codecNames: Record<string, string> = {
  h264: 'H.264', avc: 'H.264', h265: 'HEVC', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', vp8: 'VP8', aac: 'AAC', opus: 'Opus', mp3: 'MP3', flac: 'FLAC',
};

/** "h264 1280x720@30" → "720p30 · H.264"; unknown forms pass as they are. */
export function describeVideo(video: string): string {
  const match = /^(\S+)\s+(\d+)x(\d+)(?:@(\d+(?:\.\d+)?))?$/.exec(video);
  if (match === null) return codecNames[video.toLowerCase()] ?? video;
  const [, codec = '', width = '', height = '', rate] = match;
  const lines = Math.min(Number(width), Number(height));
  const frames = rate === undefined ? '' : String(Math.round(Number(rate)));
  return `${lines}p${frames} · ${codecNames[codec.toLowerCase()] ?? codec}`;
}

export function describeAudio(audio: string): string {
  const [codec = '', ...rest] = audio.split(' ');
  const name = codecNames[codec.toLowerCase()] ?? codec;
  const hertz = /^(\d+) Hz$/.exec(rest.join(' '));
  return hertz?.[1] === undefined ? [name, ...rest].join(' ') : `${name} ${Number(hertz[1]) / 1000} kHz`;
}

/** "12 s", "5 min", "3 h 20 min", "2 days". */
export function describeAge(since: string, nowMillis: number): string {
  const seconds = Math.max(0, Math.floor((nowMillis - Date.parse(since)) / 1000));
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}
