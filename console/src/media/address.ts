/** Which stream a page address asks for, and where its media is. Mirrors the server's naming: `vhost/app/name`. */

import { readChoice, type Choice, type Transport } from './transport';

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
  | { readonly kind: 'watch'; readonly wanted: Wanted; readonly choice: Choice; readonly params: string };

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
  const choice = readChoice(query.get('transport'));
  const fromQuery = query.get('stream');
  query.delete('stream');
  query.delete('transport');

  const path = /^\/(index\.html|~\/?)?$/.test(pathname) ? '' : pathname.split('/').map(decode).join('/');
  const wanted = splitName(path) ?? splitName(fromQuery ?? '');
  return wanted === undefined ? { kind: 'list' } : { kind: 'watch', wanted, choice, params: query.toString() };
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

/** The page's query with the viewer's choice in it, for the address bar: with a leading `?`, or empty. */
export function searchWith(search: string, choice: Choice): string {
  const query = new URLSearchParams(search);
  if (choice === 'auto') query.delete('transport');
  else query.set('transport', choice);
  return query.size === 0 ? '' : `?${query.toString()}`;
}

const fileNames: Readonly<Record<Transport, string>> = { flv: '.flv', 'ws-flv': '.flv', 'll-hls': '/llhls.m3u8', hls: '/llhls.m3u8' };

/** Address of the media; `origin` is `location.origin`. */
export function mediaUrl(address: Address, transport: Transport, origin: string, params: string): string {
  const base = transport === 'ws-flv' ? origin.replace(/^http/, 'ws') : origin;
  return `${base}/${encodePath(address)}${fileNames[transport]}${params === '' ? '' : `?${params}`}`;
}

/** Where HEAD tells whether the media is there. */
export const probeUrl = (address: Address, transport: Transport, origin: string, params: string): string =>
  mediaUrl(address, transport === 'ws-flv' ? 'flv' : transport, origin, params);

/**
 * Playlists name their children without the page's query (vhost, tokens): puts it back. What the address has already stays,
 * the `_HLS_…` delivery directives above all; another server's address is not ours to add to.
 */
export function withParams(url: string, params: string, origin: string): string {
  if (params === '') return url;
  const full = new URL(url, origin);
  if (full.origin !== origin) return url;
  for (const [key, value] of new URLSearchParams(params)) if (!full.searchParams.has(key)) full.searchParams.append(key, value);
  return full.href;
}
