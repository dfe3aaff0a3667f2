/** Asks the server about a stream, without its media. */

import { mediaUrl, probeUrl, resolve, type Address, type Wanted } from './address';
import type { Transport } from './transport';
import { fetchStreams } from '../shared/streams';

const timeoutMillis = 5_000;

/** Completes a bare name from the list of live streams. */
async function findAddress(wanted: Wanted, signal: AbortSignal): Promise<Address> {
  if (wanted.app !== undefined) return resolve(wanted, undefined);
  const list = await fetchStreams(signal);
  return resolve(wanted, list.kind === 'list' ? list.streams : undefined);
}

/** The HTTP status of a HEAD request; 0 without an answer. */
export async function headStatus(url: string, signal: AbortSignal): Promise<number> {
  try {
    return (await fetch(url, { method: 'HEAD', cache: 'no-store', signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)]) })).status;
  } catch {
    return 0;
  }
}

/** Where a session's stream is. Found anew each time: a bare name may stand for another stream by then. */
export class Target {
  readonly #wanted: Wanted;
  readonly #params: string;
  readonly #signal: AbortSignal;

  constructor(wanted: Wanted, params: string, signal: AbortSignal) {
    this.#wanted = wanted;
    this.#params = params;
    this.#signal = signal;
  }

  async url(transport: Transport): Promise<string> {
    return mediaUrl(await findAddress(this.#wanted, this.#signal), transport, location.origin, this.#params);
  }

  /** HTTP status of the stream's address by this way; 0 without an answer. */
  async status(transport: Transport): Promise<number> {
    const address = await findAddress(this.#wanted, this.#signal);
    return headStatus(probeUrl(address, transport, location.origin, this.#params), this.#signal);
  }
}
