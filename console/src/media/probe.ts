/** Asks the server about a stream, without its media. */

import { resolve, type Address, type Wanted } from './address';
import { fetchStreams } from '../shared/streams';

const timeoutMillis = 5_000;

/** Completes a bare name from the list of live streams. */
export async function findAddress(wanted: Wanted, signal: AbortSignal): Promise<Address> {
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
