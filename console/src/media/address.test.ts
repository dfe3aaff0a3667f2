import { describe, expect, it } from 'vitest';
import { displayName, flvUrl, pagePath, parseRoute, resolve, splitName } from './address';

describe('parseRoute', () => {
  const watch = (app: string | undefined, name: string, params = '', transport = 'http') => ({ kind: 'watch', wanted: { app, name }, transport, params });
  it.each([
    ['/', '', { kind: 'list' }],
    ['/index.html', '', { kind: 'list' }],
    ['/~/', '', { kind: 'list' }],
    ['/', '?stream=', { kind: 'list' }],
    ['/', '?stream=demo', watch(undefined, 'demo')],
    ['/index.html', '?stream=demo', watch(undefined, 'demo')],
    ['/', '?stream=live/demo', watch('live', 'demo')],
    ['/', '?stream=/live/demo/', watch('live', 'demo')],
    ['/', '?stream=a%2Fb%2Fc', watch('a/b', 'c')],
    ['/live/demo', '', watch('live', 'demo')],
    ['/live/demo/', '', watch('live', 'demo')],
    ['/event/2026/main', '', watch('event/2026', 'main')],
    ['/live/caf%C3%A9%20one', '', watch('live', 'café one')],
    ['/live/50%', '', watch('live', '50%')],
    ['/live/demo', '?transport=ws', watch('live', 'demo', '', 'ws')],
    ['/live/demo', '?transport=carrier-pigeon', watch('live', 'demo')],
    ['/live/demo', '?vhost=tv.example&token=a%26b&transport=ws', watch('live', 'demo', 'vhost=tv.example&token=a%26b', 'ws')],
    ['/live/demo', '?stream=other', watch('live', 'demo')],
  ])('%s%s', (path, search, expected) => expect(parseRoute(path, search)).toEqual(expected));
});

describe('resolve', () => {
  const live = (...names: string[]) => names.map((n) => ({ app: splitName(n)?.app ?? '', stream: splitName(n)?.name ?? '' }));
  it.each([
    ['a full name needs no list', 'x/demo', live('hls/demo'), 'x/demo'],
    ['hls first', 'demo', live('app/demo', 'live/demo', 'hls/demo'), 'hls/demo'],
    ['then live', 'demo', live('app/demo', 'live/demo', 'hls/other'), 'live/demo'],
    ['then app', 'demo', live('app/demo', 'tv/demo'), 'app/demo'],
    ['another app does not count', 'demo', live('tv/demo'), 'live/demo'],
    ['nothing is live', 'demo', [], 'live/demo'],
    ['no list', 'demo', undefined, 'live/demo'],
  ])('%s', (_, name, list, expected) => {
    const wanted = splitName(name);
    expect(wanted && displayName(resolve(wanted, list))).toBe(expected);
  });
});

describe('addresses', () => {
  const stream = { app: 'event/2026', name: 'café one' };
  it('encodes each segment and keeps the slashes', () => {
    expect(flvUrl(stream, 'http', 'http://host:8080', '')).toBe('http://host:8080/event/2026/caf%C3%A9%20one.flv');
    expect(flvUrl(stream, 'ws', 'http://host:8080', 'token=a')).toBe('ws://host:8080/event/2026/caf%C3%A9%20one.flv?token=a');
    expect(flvUrl(stream, 'ws', 'https://host', '')).toBe('wss://host/event/2026/caf%C3%A9%20one.flv');
  });
  it('names the vhost only when it is not the default', () => {
    expect(pagePath({ app: 'live', name: 'demo' }, 'default')).toBe('/live/demo');
    expect(pagePath({ app: 'live', name: 'demo' }, 'tv.example')).toBe('/live/demo?vhost=tv.example');
  });
});
