import { describe as group, expect, it } from 'vitest';
import { describe, initialState, pollDelay, reduce, type PlayerEvent, type PlayerState } from './machine';

const run = (...events: PlayerEvent[]): PlayerState => events.reduce(reduce, initialState);
const probed = (status: number): PlayerEvent => ({ type: 'probed', status });
const playing: PlayerEvent = { type: 'playing' };
const closed: PlayerEvent = { type: 'closed' };
const failed: PlayerEvent = { type: 'failed' };

group('player', () => {
  it('waits for a stream that is not live and starts by itself', () => {
    expect(run(probed(404))).toMatchObject({ phase: 'waiting', run: 1 });
    expect(run(probed(404), probed(404), probed(200))).toMatchObject({ phase: 'connecting', run: 2 });
    expect(describe(run(probed(404)), 'live/demo')).toEqual({ title: 'live/demo is not live', body: 'This page starts by itself when it comes.' });
  });
  it('says that a stream has ended, and starts again', () => {
    const ended = run(playing, closed, probed(404));
    expect(ended).toMatchObject({ phase: 'waiting', attempt: 0 });
    expect(describe(ended, 'live/demo')?.title).toBe('live/demo has ended');
    expect(reduce(ended, probed(200))).toMatchObject({ phase: 'connecting', run: 2 });
  });
  it('goes on after a lost connection', () => {
    expect(run(playing, failed)).toMatchObject({ phase: 'retrying', attempt: 1, run: 1 });
    expect(run(playing, failed, probed(0), probed(503))).toMatchObject({ phase: 'retrying', attempt: 3 });
    expect(run(playing, failed, probed(0), probed(200))).toMatchObject({ phase: 'connecting', attempt: 2, run: 2 });
  });
  it('says why it tries again', () => {
    const title = (...events: PlayerEvent[]) => describe(run(...events), 'x')?.title;
    expect(title(playing, failed)).toBe('Reconnecting…');
    expect(title(playing, failed, probed(0))).toBe('The server cannot be reached');
    expect(title(probed(502))).toBe('The server cannot be reached');
    expect(title(probed(503))).toBe('x is not ready');
    expect(title(probed(503), probed(200), failed)).toBe('x keeps breaking off');
    expect(title(playing, failed, probed(200), failed)).toBe('x keeps breaking off');
  });
  it('forgets its failures only after steady playing', () => {
    expect(run(playing, closed, probed(200), playing, closed).attempt).toBe(2);
    expect(run(playing, closed, probed(200), playing, { type: 'steady' }, closed).attempt).toBe(1);
  });
  it('stalls and plays on', () => {
    expect(run(playing, { type: 'stalled' }).phase).toBe('stalled');
    expect(run(playing, { type: 'stalled' }, playing).phase).toBe('playing');
    expect(run({ type: 'stalled' }).phase).toBe('connecting');
  });
  it('pauses and resumes', () => {
    expect(run(playing, { type: 'pause' }, { type: 'stalled' }).phase).toBe('paused');
    expect(run(playing, { type: 'pause' }, { type: 'resume' }, playing).phase).toBe('playing');
    expect(run({ type: 'blocked' }).phase).toBe('blocked');
    expect(run({ type: 'pause' }).phase).toBe('connecting');
  });
  it('names the codec, and stays so until the stream goes or the viewer asks', () => {
    const stuck = run({ type: 'unsupported', reason: 'HEVC' });
    expect(describe(stuck, 'x')?.body).toBe('HEVC');
    expect(reduce(stuck, probed(200))).toBe(stuck);
    expect(reduce(stuck, probed(0)).phase).toBe('unsupported');
    expect(reduce(stuck, probed(404))).toEqual({ phase: 'waiting', run: 1, attempt: 0, unreachable: false, hasPlayed: false });
    expect(reduce(stuck, { type: 'retry' })).toEqual({ phase: 'connecting', run: 2, attempt: 0, unreachable: false, hasPlayed: false });
    expect(reduce(stuck, failed)).toBe(stuck);
  });
  it('is told that it may not watch', () => {
    expect(run(probed(403)).phase).toBe('refused');
    expect(run(probed(401), probed(401)).phase).toBe('refused');
    expect(run(probed(401), probed(200)).phase).toBe('connecting');
  });
  it('sends GET to a server without HEAD', () => expect(run(probed(404), probed(405)).run).toBe(2));
  it('ignores events of a connection that is gone', () => {
    const waiting = run(probed(404));
    for (const type of ['playing', 'stalled', 'pause', 'closed', 'failed', 'blocked', 'steady', 'resume'] as const) expect(reduce(waiting, { type })).toBe(waiting);
    const live = run(playing);
    expect(reduce(live, probed(404))).toBe(live);
  });
});

group('pollDelay', () => {
  it('asks every 1–2 s for a stream to come', () => expect([pollDelay('waiting', 9, 0), pollDelay('waiting', 9, 0.999)].map(Math.round)).toEqual([1000, 1999]));
  it('backs off with jitter up to 10 s', () => {
    expect([1, 2, 3, 4, 5, 6, 20].map((n) => pollDelay('retrying', n, 0.5))).toEqual([400, 800, 1600, 3200, 6400, 8000, 8000]);
    expect(pollDelay('retrying', 20, 0)).toBe(6000);
  });
});
