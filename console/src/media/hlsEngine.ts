/** LL-HLS (RFC 8216bis) by hls.js on a video element. The playlist's PART-HOLD-BACK says how near the live edge. */

import Hls, { type ErrorData, type HlsConfig, type LevelDetails, type MediaPlaylist } from 'hls.js';
import { whyUnsupported } from './abilities';
import { withParams } from './address';
import { removeUntil } from './backBuffer';
import { listedCodecs, type Codec } from './codecs';
import type { AudioTrack, Engine, EngineEvents, EngineOptions } from './engine';
import { mayBegin } from './hlsStart';
import { codecLists, trackList } from './hlsTracks';
import { judge } from './hlsTrouble';
import { secondsAhead } from './liveEdge';
import { pace } from './pace';
import type { Reason } from './transport';

/** Each stall adds this to the distance from the live edge, up to one target duration. Seconds. */
const stallIncrease = 0.3;

/** After the first picture one jump towards the live edge is free, when so much lies ahead of where it leads. Milliseconds, seconds. */
const startMillis = 1_500;
const startAhead = 0.75;

const retry = (maxNumRetry: number): HlsConfig['playlistLoadPolicy'] => ({
  default: {
    maxTimeToFirstByteMs: 20_000, // more than three target durations of 6 s, after which a blocked request is answered 503
    maxLoadTimeMs: 30_000,
    timeoutRetry: { maxNumRetry, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry, retryDelayMs: 500, maxRetryDelayMs: 2_000 },
  },
});

const config: Partial<HlsConfig> = {
  lowLatencyMode: true,
  initialLiveManifestSize: Infinity, // until #allowStart
  maxLiveSyncPlaybackRate: 1, // hls.js only ever hurries: see pace.ts
  liveSyncOnStallIncrease: stallIncrease,
  backBufferLength: Infinity, // see backBuffer.ts
  enableWorker: false, // fragmented MP4 passes through almost untouched, and a worker would need blob: in script-src
  // The session retries what concerns the whole stream, and says so meanwhile.
  manifestLoadPolicy: retry(0),
  playlistLoadPolicy: retry(4),
  fragLoadPolicy: retry(3),
};

const isPlayable = (codecs: readonly Codec[]): boolean => codecs.every((c) => whyUnsupported(c) === undefined);

/** What is in the way of these codecs. */
const whyNot = (codecs: readonly Codec[] = []): Reason | undefined => codecs.map(whyUnsupported).find((w) => w !== undefined);

export class HlsEngine implements Engine {
  readonly #hls: Hls;
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #events: EngineEvents;
  readonly #ends = new AbortController();
  #codecs: readonly Codec[] = [];
  #tracks = '';
  #discontinuity: number | undefined;
  #recovered = false;
  #startEnds: number | undefined;
  #firstListed: number | undefined;
  bytes = 0;
  lastBytesMillis = performance.now();

  constructor({ video, url, params, events }: EngineOptions) {
    this.#video = video;
    this.#url = url;
    this.#events = events;
    this.#hls = new Hls({
      ...config,
      xhrSetup: (xhr, address) => xhr.open('GET', withParams(address, params, location.origin), true),
    });
    this.#listen();
    this.#hls.loadSource(url);
    this.#hls.attachMedia(video);
    // After EXT-X-ENDLIST, when the last picture has been shown.
    video.addEventListener('ended', () => events.onClosed(), { signal: this.#ends.signal });
  }

  get target(): number | undefined {
    return this.#hls.targetLatency ?? undefined;
  }

  /** EXT-X-PROGRAM-DATE-TIME is the wall clock of the media's arrival. */
  arrivalMicros(): number | undefined {
    const date = this.#hls.playingDate?.getTime();
    return date === undefined || Number.isNaN(date) ? undefined : date * 1000;
  }

  follow(): void {
    const { latency, targetLatency: target } = this.#hls;
    const video = this.#video;
    if (target === null || latency <= 0 || video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return;
    const now = performance.now();
    this.#startEnds ??= now + startMillis;
    const starting = now < this.#startEnds && secondsAhead(video) > latency - target + startAhead;
    const { rate, jump } = pace({ latency, target, rate: video.playbackRate, starting });
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (!jump) return;
    this.#startEnds = now;
    this.toLive();
  }

  stalled(): void {
    // hls.js sees it too, and keeps a greater distance from then on.
  }

  toLive(): void {
    const to = this.#hls.liveSyncPosition;
    if (to !== null && Number.isFinite(to) && to > this.#video.currentTime) this.#video.currentTime = to;
  }

  chooseAudio(id: number): void {
    this.#hls.audioTrack = id;
  }

  destroy(): void {
    this.#ends.abort();
    this.#hls.destroy();
  }

  #listen(): void {
    const hls = this.#hls;
    const { Events } = Hls;
    hls.on(Events.MANIFEST_LOADED, (_, { levels, networkDetails }) => {
      this.#countBytes(0);
      if (networkDetails instanceof XMLHttpRequest) this.#tracks = trackList(networkDetails.responseText);
      const listed = levels.map((level) => listedCodecs(level.attrs['CODECS'] ?? ''));
      this.#codecs = listed.find(isPlayable) ?? listed[0] ?? [];
      for (const codec of this.#codecs) this.#events.onCodec(codec);
    });
    // A playlist that has ended already is the last of a stream that is over.
    hls.once(Events.LEVEL_LOADED, (_, { details }) => {
      if (!details.live) this.#later(() => this.#events.onStatus(404));
    });
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => this.#onUpdated(details));
    hls.on(Events.FRAG_LOADED, (_, { payload }) => this.#countBytes(payload.byteLength));
    // Behind hls.js's own listeners, which start the next load if there is one.
    hls.on(Events.FRAG_BUFFERED, () => this.#forgetShown());
    hls.on(Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => this.#tellAudio(audioTracks));
    hls.on(Events.AUDIO_TRACK_SWITCHED, () => this.#tellAudio(hls.audioTracks));
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
  }

  #countBytes(count: number): void {
    this.bytes += count;
    this.lastBytesMillis = performance.now();
  }

  /** After each discontinuity: are the tracks still those that are played, and can this browser decode them? */
  #onUpdated(details: LevelDetails): void {
    this.#allowStart(details);
    const { endCC } = details;
    const before = this.#discontinuity;
    this.#discontinuity = endCC;
    if (before !== undefined && endCC > before) void this.#compareTracks();
  }

  /** hls.js asks again with each playlist, and a few times a second, whether it has enough to start. */
  #allowStart({ live, partList, partTarget, targetduration: targetDuration, fragmentStart: begin, fragmentEnd: wholeEnd, edge }: LevelDetails): void {
    const { config: inForce } = this.#hls;
    if (inForce.initialLiveManifestSize === 1) return;
    const now = performance.now();
    this.#firstListed ??= now;
    const waited = (now - this.#firstListed) / 1000;
    const from = this.#hls.liveSyncPosition ?? edge;
    const firstPart = partList?.[0];
    if (mayBegin({ live, firstPart, partTarget, targetDuration, begin, wholeEnd, edge, from, waited })) inForce.initialLiveManifestSize = 1;
  }

  async #compareTracks(): Promise<void> {
    try {
      const reply = await fetch(this.#url, { cache: 'no-store', signal: this.#ends.signal });
      if (!reply.ok) return;
      const text = await reply.text();
      const listed = codecLists(text).map(listedCodecs);
      if (listed.length > 0 && !listed.some(isPlayable)) this.#later(() => this.#events.onUnsupported(whyNot(listed[0])));
      else if (trackList(text) !== this.#tracks) this.#later(() => this.#events.onFailed('the stream has other tracks now'));
    } catch {
      // No answer: the next discontinuity asks again, and a stream that is gone shows elsewhere.
    }
  }

  #forgetShown(): void {
    const { buffered, currentTime } = this.#video;
    const begin = buffered.length === 0 ? undefined : buffered.start(0);
    const loaders = Object.values(this.#hls.inFlightFragments).map(({ state }) => state);
    const endOffset = removeUntil({ currentTime, begin, loaders });
    if (endOffset !== undefined) this.#hls.trigger(Hls.Events.BUFFER_FLUSHING, { startOffset: 0, endOffset, type: null });
  }

  #tellAudio(tracks: readonly MediaPlaylist[]): void {
    const named: AudioTrack[] = tracks.map(({ id, name, lang }) => ({ id, label: name || lang || `Sound ${id + 1}` }));
    this.#events.onAudioTracks(named, this.#hls.audioTrack);
  }

  #onError(data: ErrorData): void {
    const status = data.response?.code;
    const why = `${data.details}${status === undefined ? '' : ` ${status}`} ${data.error.message}`;
    const verdict = judge({ type: data.type, details: data.details, fatal: data.fatal, status, recovered: this.#recovered });
    switch (verdict) {
      case 'ignore':
        return;
      case 'recover':
        this.#recovered = true;
        console.info(`millrace: recovering from ${why}`);
        this.#hls.recoverMediaError();
        return;
      case 'status':
        return this.#later(() => this.#events.onStatus(status ?? 0));
      case 'empty':
        return this.#later(() => this.#events.onStatus(503));
      case 'closed':
        return this.#later(() => this.#events.onClosed());
      case 'unsupported':
        return this.#later(() => this.#events.onUnsupported(whyNot(this.#codecs)));
      case 'failed':
        return this.#later(() => this.#events.onFailed(why));
    }
  }

  /** Destroyed within one of its own events, hls.js would trip over itself. */
  #later(act: () => void): void {
    setTimeout(() => {
      if (!this.#ends.signal.aborted) act();
    });
  }
}
