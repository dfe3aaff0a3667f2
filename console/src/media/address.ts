/** Which stream a page address asks for, and where its media is. Mirrors the server's naming: `vhost/app/name`. */

export type Transport = 'http' | 'ws';

/** One live stream. `app` may contain slashes, `name` may not. */
export interface Address {
  readonly app: string;
  readonly name: string;
}

/** What the address bar asks to watch; `app` is undefined when only a name was given (`?stream=demo`). */
export interface Wanted {
  readonly app: string | undefined;
  readonly name: string;
}

export type Route =
  | { readonly kind: 'list' }
  | { readonly kind: 'watch'; readonly wanted: Wanted; readonly transport: Transport; readonly params: string };

/** Applications that are tried, in this order, for a bare name. */
const bareNameApps = ['hls', 'live', 'app'] as const;
const fallbackApp = 'live';

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // not our encoding: take it as it stands, the server will answer 404
  }
};

export const splitName = (text: string): Wanted | undefined => {
  const segments = text.split('/').filter((s) => s !== '');
  const name = segments.pop();
  if (name === undefined) return undefined;
  return { app: segments.length > 0 ? segments.join('/') : undefined, name };
};

/**
 * `/` and `/index.html` list the streams, unless `?stream=` names one; any other path is `/app/name`.
 * The remaining query arguments (`vhost`, access tokens) travel on to the media address.
 */
export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  const transport: Transport = query.get('transport') === 'ws' ? 'ws' : 'http';
  const fromQuery = query.get('stream');
  query.delete('stream');
  query.delete('transport');

  const path = /^\/(index\.html|~\/?)?$/.test(pathname) ? '' : pathname.split('/').map(decode).join('/');
  const wanted = splitName(path) ?? splitName(fromQuery ?? '');
  return wanted === undefined ? { kind: 'list' } : { kind: 'watch', wanted, transport, params: query.toString() };
}

export interface LiveName {
  readonly app: string;
  readonly stream: string;
}

/** Completes a bare name from the list of live streams; without a list (or a match) the app is `live`. */
export function resolve(wanted: Wanted, live: readonly LiveName[] | undefined): Address {
  if (wanted.app !== undefined) return { app: wanted.app, name: wanted.name };
  const app = bareNameApps.find((a) => live?.some((s) => s.app === a && s.stream === wanted.name));
  return { app: app ?? fallbackApp, name: wanted.name };
}

const encodePath = (address: Address): string =>
  [...address.app.split('/'), address.name].map(encodeURIComponent).join('/');

export const displayName = (wanted: Wanted): string =>
  wanted.app === undefined ? wanted.name : `${wanted.app}/${wanted.name}`;

export const pagePath = (address: Address, vhost?: string): string =>
  `/${encodePath(address)}${vhost !== undefined && vhost !== 'default' ? `?vhost=${encodeURIComponent(vhost)}` : ''}`;

/** Address of the HTTP-FLV; `origin` is `location.origin`. */
export function flvUrl(address: Address, transport: Transport, origin: string, params: string): string {
  const base = transport === 'ws' ? origin.replace(/^http/, 'ws') : origin;
  return `${base}/${encodePath(address)}.flv${params === '' ? '' : `?${params}`}`;
}
