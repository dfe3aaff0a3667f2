/** The server's clock, seen from the browser: `GET /~/clock` → `{ "nowMicros": n }`, corrected by half the round trip. */

export interface ClockSample {
  /** Local monotonic milliseconds (performance.now) before the request and after the reply. */
  readonly sentMillis: number;
  readonly receivedMillis: number;
  readonly serverMicros: number;
}

/** Microseconds to add to the local monotonic clock; the network's two directions are assumed to be equal. */
export const offsetMicros = (s: ClockSample): number =>
  s.serverMicros - ((s.sentMillis + s.receivedMillis) / 2) * 1000;

/** Median of the samples' offsets: one slow reply does not move it. Undefined without samples. */
export function medianOffset(samples: readonly ClockSample[]): number | undefined {
  const offsets = samples.map(offsetMicros).sort((a, b) => a - b);
  const middle = offsets.length >> 1;
  const upper = offsets[middle];
  if (upper === undefined) return undefined;
  const lower = offsets[middle - 1];
  return offsets.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

const samplesPerRound = 5;
const roundIntervalMillis = 60_000;
const retryIntervalMillis = 10_000;
const requestTimeoutMillis = 3_000;

export class ServerClock {
  #offset: number | undefined;
  #fallback: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** False while only a tag's time of writing is known, which lacks its way here. */
  get exact(): boolean {
    return this.#offset !== undefined;
  }

  /** Microseconds since the Unix epoch on the server's clock, or undefined before it is known. */
  nowMicros(): number | undefined {
    const offset = this.#offset ?? this.#fallback;
    return offset === undefined ? undefined : performance.now() * 1000 + offset;
  }

  /** A time of writing that arrived just now: used only as long as `/~/clock` does not answer. */
  hint(serverMicros: number): void {
    this.#fallback = serverMicros - performance.now() * 1000;
  }

  async #round(): Promise<void> {
    const samples: ClockSample[] = [];
    for (let i = 0; i < samplesPerRound && !this.#stopped; i++) {
      const sample = await takeSample();
      if (sample === undefined) break;
      samples.push(sample);
      this.#offset ??= offsetMicros(sample); // a first answer at once, the median soon after
    }
    if (this.#stopped) return;
    this.#offset = medianOffset(samples) ?? this.#offset;
    this.#timer = setTimeout(() => void this.#round(), samples.length > 0 ? roundIntervalMillis : retryIntervalMillis);
  }
}

async function takeSample(): Promise<ClockSample | undefined> {
  try {
    const sentMillis = performance.now();
    const reply = await fetch('/~/clock', { cache: 'no-store', signal: AbortSignal.timeout(requestTimeoutMillis) });
    const receivedMillis = performance.now(); // headers are here: parsing is not part of the round trip
    if (!reply.ok) return undefined;
    const body = (await reply.json()) as { nowMicros?: unknown };
    return typeof body.nowMicros === 'number' ? { sentMillis, receivedMillis, serverMicros: body.nowMicros } : undefined;
  } catch {
    return undefined; // no network or no such resource: the latency is then shown as approximate, or not at all
  }
}
