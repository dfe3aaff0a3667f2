/** The player's states. A pure reducer: the session turns its results into requests, timers and words. */

export type Phase =
  | 'connecting' // a media request is out, nothing has been shown yet
  | 'waiting' // not live: asked for every 1–2 s
  | 'playing'
  | 'stalled' // was playing; the buffer ran dry
  | 'paused' // by the viewer
  | 'blocked' // the browser refuses to start without a tap
  | 'retrying' // connection lost; next attempt after a back-off
  | 'unsupported' // the browser cannot decode it
  | 'refused'; // the server says 401 or 403

export interface PlayerState {
  readonly phase: Phase;
  /** Grows with each media connection that has to be opened. */
  readonly run: number;
  /** Failed attempts in a row; steady playing sets it to 0. */
  readonly attempt: number;
  /** The last probe had no answer, or a server error. */
  readonly unreachable: boolean;
  /** The server answered 503: there, but the stream has nothing to show yet. */
  readonly notReady?: true;
  /** A picture was shown since the page was opened: "ended" instead of "not live". */
  readonly hasPlayed: boolean;
  /** Why it cannot be played, for a person. */
  readonly reason?: string;
}

export type PlayerEvent =
  | { readonly type: 'probed'; readonly status: number } // HTTP status of the stream's address; 0: no answer
  | { readonly type: 'playing' }
  | { readonly type: 'stalled' }
  | { readonly type: 'blocked' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'steady' } // has played for some seconds
  | { readonly type: 'closed' } // the server ended the response
  | { readonly type: 'failed' } // network or media error
  | { readonly type: 'unsupported'; readonly reason: string }
  | { readonly type: 'retry' }; // another attempt at once: the viewer asks for it, or another way is to be tried

export const initialState: PlayerState = { phase: 'connecting', run: 1, attempt: 0, unreachable: false, hasPlayed: false };

/** Phases with an open media connection. */
export const isConnected = (phase: Phase): boolean =>
  phase === 'connecting' || phase === 'playing' || phase === 'stalled' || phase === 'paused' || phase === 'blocked';

/** Phases in which the stream's address is asked for, to start by itself. */
export const isPolling = (phase: Phase): boolean =>
  phase === 'waiting' || phase === 'retrying' || phase === 'unsupported' || phase === 'refused';

export function reduce(state: PlayerState, event: PlayerEvent): PlayerState {
  switch (event.type) {
    case 'probed':
      return probed(state, event.status);
    case 'playing':
      return isConnected(state.phase) ? { ...state, phase: 'playing', hasPlayed: true } : state;
    case 'stalled':
      return state.phase === 'playing' ? { ...state, phase: 'stalled' } : state;
    case 'blocked':
      return state.phase === 'connecting' || state.phase === 'playing' ? { ...state, phase: 'blocked' } : state;
    case 'pause':
      return state.phase === 'playing' || state.phase === 'stalled' ? { ...state, phase: 'paused' } : state;
    case 'resume':
      return state.phase === 'paused' || state.phase === 'blocked' ? { ...state, phase: 'stalled' } : state;
    case 'steady':
      return state.phase === 'playing' ? { ...state, attempt: 0 } : state;
    case 'closed':
    case 'failed':
      return isConnected(state.phase) ? { ...calm(state), phase: 'retrying', attempt: state.attempt + 1 } : state;
    case 'unsupported':
      return { ...calm(state), phase: 'unsupported', reason: event.reason };
    case 'retry':
      return connect(state);
  }
}

/** Without the troubles of before. */
function calm(state: PlayerState): PlayerState {
  const { reason: _, notReady: __, ...rest } = state;
  return { ...rest, unreachable: false };
}

const connect = (state: PlayerState): PlayerState => ({ ...calm(state), phase: 'connecting', run: state.run + 1 });

function probed(state: PlayerState, status: number): PlayerState {
  if (!isPolling(state.phase) && state.phase !== 'connecting') return state;
  if (status === 404) return { ...calm(state), phase: 'waiting', attempt: 0 };
  if (status === 401 || status === 403) return { ...state, phase: 'refused' };
  // An unsupported stream stays so until it goes away (404, above) or the viewer asks again.
  if (state.phase === 'unsupported') return state;
  // A server that does not answer HEAD (405, 501) still gets the GET.
  if ((status >= 200 && status < 300) || status === 405 || status === 501) return connect(state);
  const retrying: PlayerState = { ...calm(state), phase: 'retrying', attempt: state.attempt + 1 };
  return status === 503 ? { ...retrying, notReady: true } : { ...retrying, unreachable: true };
}

/** Milliseconds until the next probe; `random` in [0, 1) spreads the viewers of a stream that comes back. */
export function pollDelay(phase: Phase, attempt: number, random: number): number {
  switch (phase) {
    case 'retrying':
      return Math.min(8_000, 400 * 2 ** Math.max(0, attempt - 1)) * (0.75 + random / 2);
    case 'unsupported':
    case 'refused':
      return 4_000 + 2_000 * random;
    default:
      return 1_000 + 1_000 * random;
  }
}

export interface Words {
  readonly title: string;
  readonly body: string;
}

/** What the page says in the middle of the picture, or undefined when the picture speaks for itself. */
export function describe(state: PlayerState, name: string): Words | undefined {
  switch (state.phase) {
    case 'waiting':
      return state.hasPlayed
        ? { title: `${name} has ended`, body: 'This page starts again by itself when it comes back.' }
        : { title: `${name} is not live`, body: 'This page starts by itself when it comes.' };
    case 'retrying':
      if (state.unreachable) return { title: 'The server cannot be reached', body: 'Trying again. This page goes on by itself.' };
      if (state.notReady === true) return { title: `${name} is not ready`, body: 'The server has nothing to show of it yet. This page goes on by itself.' };
      // The first attempt is quick: most often the stream has just ended, and the next answer says so.
      return state.attempt <= 1
        ? { title: 'Reconnecting…', body: `The connection to ${name} was closed.` }
        : { title: `${name} keeps breaking off`, body: 'Trying again. This page goes on by itself.' };
    case 'unsupported':
      return { title: 'This browser cannot play this stream', body: state.reason ?? '' };
    case 'refused':
      return { title: `You may not watch ${name}`, body: 'The server asks for a valid token in the address of this page.' };
    default:
      return undefined;
  }
}
