/** Which way the media comes to this page, and which way is tried next. Pure. */

/** As in `window.__millrace.transport`; in the order of their delay, but for `ws-flv`, which only the address asks for. */
export type Transport = 'flv' | 'll-hls' | 'hls' | 'ws-flv';

/** What the viewer asked for, in the player or by `?transport=` in the address. */
export type Choice = 'auto' | 'flv' | 'ws' | 'hls';

export interface Abilities {
  /** Media Source Extensions: FLV and LL-HLS are fed to them. */
  readonly mse: boolean;
  /** The video element plays a playlist by itself. */
  readonly nativeHls: boolean;
}

const choices: readonly string[] = ['flv', 'ws', 'hls'] satisfies Choice[];

export const readChoice = (text: string | null): Choice =>
  text !== null && choices.includes(text) ? (text as Choice) : 'auto';

/**
 * Where there are both, as in Safari with Media Source Extensions or their managed form, hls.js comes before the browser's own HLS:
 * that needs HTTP/2 to be of low latency, tells neither its distance nor its stalls, and lets nobody correct them. It is for
 * browsers without either, and for what only it decodes.
 */
const ways: Readonly<Record<Choice, readonly Transport[]>> = {
  auto: ['flv', 'll-hls', 'hls'],
  flv: ['flv'],
  ws: ['ws-flv'],
  hls: ['ll-hls', 'hls'],
};

/** What this browser can try, least delay first. The codecs decide later. */
export const candidates = (choice: Choice, abilities: Abilities): readonly Transport[] =>
  ways[choice].filter((t) => (t === 'hls' ? abilities.nativeHls : abilities.mse));

/** Why a stream cannot be played, for a person. */
export interface Reason {
  readonly text: string;
  /** No other way of receiving it would help. */
  readonly final: boolean;
}

/** Where the trying stands, while one stream is live. */
export interface Trial {
  readonly order: readonly Transport[];
  /** Undefined when nothing is left to try. */
  readonly current: Transport | undefined;
  /** Failures of the current one in a row, without a picture. */
  readonly strikes: number;
  /** Why the last one was left out. */
  readonly reason: Reason | undefined;
}

/** One failure may be chance. */
const strikesToLeave = 2;

export const beginTrial = (order: readonly Transport[]): Trial => ({ order, current: order[0], strikes: 0, reason: undefined });

/** The current one can never play this stream here: a codec, or 415. */
export function ruleOut(trial: Trial, reason: Reason | undefined): Trial {
  const at = trial.order.findIndex((t) => t === trial.current);
  const order = trial.order.filter((t) => t !== trial.current);
  return { order, current: order[at] ?? order[0], strikes: 0, reason: reason ?? trial.reason };
}

/** The current one failed before its first picture; after the second time it is another's turn. */
export function strike(trial: Trial): Trial {
  if (trial.strikes + 1 < strikesToLeave) return { ...trial, strikes: trial.strikes + 1 };
  const at = trial.order.findIndex((t) => t === trial.current);
  return { ...trial, current: trial.order[(at + 1) % trial.order.length], strikes: 0 };
}

/** HTTP 415. */
export const notCarried: Reason = { text: 'The server cannot send its codecs this way.', final: false };
/** Without a way to name the codec. */
const unknownReason: Reason = { text: 'It comes in a form that this browser cannot play.', final: false };
const noMse: Reason = { text: 'It has no Media Source Extensions.', final: false };

/** What the viewer is told when nothing is left to try. */
export function whyNone({ reason }: Trial, choice: Choice, abilities: Abilities): string {
  const tried = candidates(choice, abilities);
  const { text, final } = reason ?? (tried.length > 0 ? unknownReason : noMse);
  const others = candidates('auto', abilities).some((t) => !tried.includes(t));
  return others && !final ? `${text} Another way of receiving it may do: choose Auto below.` : text;
}

const sharedByAllWays = [401, 403, 404, 405, 408, 415, 429];

/**
 * A refusal that something between here and the server may have made for this way alone. A server error counts only in place
 * of the media (`connecting`): a probe's answer is the same for every way. 503 is the server's own "not yet".
 */
export const isBlocked = (status: number, connecting: boolean): boolean =>
  (status >= 400 && status < 500 && !sharedByAllWays.includes(status)) || (connecting && [500, 502, 504].includes(status));
