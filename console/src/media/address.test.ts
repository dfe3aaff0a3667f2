import { describe, expect, it } from 'vitest';
import { displayName, mediaUrl, pagePath, parseRoute, probeUrl, resolve, searchWith, splitName, withParams } from './address';

describe('parseRoute', () => {
  const watch = (app: string | undefined, name: string, params = '', choice = 'auto') => ({ kind: 'watch', wanted: { app, name }, choice, params });
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
    ['/live/demo', '?transport=flv', watch('live', 'demo', '', 'flv')],
    ['/live/demo', '?transport=hls', watch('live', 'demo', '', 'hls')],
    ['/live/demo', '?transport=auto', watch('live', 'demo')],
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
    expect(mediaUrl(stream, 'flv', 'http://host:8080', '')).toBe('http://host:8080/event/2026/caf%C3%A9%20one.flv');
    expect(mediaUrl(stream, 'ws-flv', 'http://host:8080', 'token=a')).toBe('ws://host:8080/event/2026/caf%C3%A9%20one.flv?token=a');
    expect(mediaUrl(stream, 'ws-flv', 'https://host', '')).toBe('wss://host/event/2026/caf%C3%A9%20one.flv');
    for (const transport of ['ll-hls', 'hls'] as const)
      expect(mediaUrl(stream, transport, 'https://host', 'token=a')).toBe('https://host/event/2026/caf%C3%A9%20one/llhls.m3u8?token=a');
  });
  it('asks over HTTP also for what comes over a WebSocket', () => {
    expect(probeUrl(stream, 'ws-flv', 'https://host', '')).toBe('https://host/event/2026/caf%C3%A9%20one.flv');
    expect(probeUrl(stream, 'll-hls', 'https://host', '')).toBe('https://host/event/2026/caf%C3%A9%20one/llhls.m3u8');
  });
  it('keeps the choice in the page address', () => {
    expect(searchWith('?token=a%26b', 'hls')).toBe('?token=a%26b&transport=hls');
    expect(searchWith('?transport=ws&token=a', 'flv')).toBe('?transport=flv&token=a');
    expect(searchWith('?transport=hls', 'auto')).toBe('');
  });
  it('gives the page’s arguments to the children of a playlist', () => {
    const add = (url: string, params = 'vhost=tv&token=a%26b') => withParams(url, params, 'https://host');
    expect(add('https://host/live/demo/chunklist_0.m3u8')).toBe('https://host/live/demo/chunklist_0.m3u8?vhost=tv&token=a%26b');
    expect(add('https://host/c.m3u8?_HLS_msn=7&_HLS_part=2')).toBe('https://host/c.m3u8?_HLS_msn=7&_HLS_part=2&vhost=tv&token=a%26b');
    expect(add('https://host/c.m3u8?token=own')).toBe('https://host/c.m3u8?token=own&vhost=tv');
    expect(add(add('https://host/c.m3u8'))).toBe(add('https://host/c.m3u8'));
    expect(add('https://cdn.example/c.m3u8')).toBe('https://cdn.example/c.m3u8');
    expect(add('https://host/c.m3u8', '')).toBe('https://host/c.m3u8');
  });
  it('names the vhost only when it is not the default', () => {
    expect(pagePath({ app: 'live', name: 'demo' }, 'default')).toBe('/live/demo');
    expect(pagePath({ app: 'live', name: 'demo' }, 'tv.example')).toBe('/live/demo?vhost=tv.example');
  });
});
