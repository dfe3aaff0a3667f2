import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { displayName, searchWith, type Wanted } from '../media/address';
import { describe } from '../media/machine';
import { Session } from '../media/session';
import type { Snapshot } from '../media/snapshot';
import type { Choice } from '../media/transport';
import { BackIcon, Logo, MutedIcon, PlayIcon, SoundIcon } from './icons';
import { Controls } from './Controls';
import { Details } from './Details';
import { LivePill } from './LivePill';
import { publishForSupport } from './support';
import { useIdle } from './useIdle';
import { useSound } from './useSound';
import { WayMenu } from './WayMenu';

interface Props {
  readonly wanted: Wanted;
  /** As the address has it when the page is opened. */
  readonly choice: Choice;
  readonly params: string;
}

const noSubscription = () => () => {};

/** Creates the session once the video element is there; a new one when the address changes. */
function useSession({ wanted, choice, params }: Props): { attach: (video: HTMLVideoElement | null) => void; video: HTMLVideoElement | null; session: Session | undefined; snapshot: Snapshot | undefined } {
  const [video, attach] = useState<HTMLVideoElement | null>(null);
  const [session, setSession] = useState<Session>();
  useEffect(() => {
    if (video === null) return;
    const created = new Session({ video, wanted, choice, params });
    setSession(created);
    created.start();
    return () => created.stop();
  }, [video, wanted, choice, params]);
  const snapshot = useSyncExternalStore(session?.shown.subscribe ?? noSubscription, () => session?.shown.get());
  return { attach, video, session, snapshot };
}

export function WatchPage(props: Props) {
  const { attach, video, session, snapshot } = useSession(props);
  const stage = useRef<HTMLDivElement>(null);
  const sound = useSound(video);
  const [details, setDetails] = useState(false);
  const [menu, setMenu] = useState(false);
  const name = displayName(props.wanted);
  const phase = snapshot?.state.phase ?? 'connecting';
  const idle = useIdle(stage) && phase === 'playing' && !details && !menu;

  useEffect(() => {
    document.title = phase === 'playing' ? `${name} · Live` : `${name} · Millrace`;
  }, [name, phase]);
  useEffect(() => {
    if (snapshot !== undefined && video !== null) publishForSupport(snapshot, video);
  }, [snapshot, video]);

  const fullscreen = useCallback(() => toggleFullscreen(stage.current, video), [video]);
  const pause = useCallback(() => session?.togglePause(), [session]);
  const choose = useCallback(
    (choice: Choice) => {
      history.replaceState(history.state, '', `${location.pathname}${searchWith(location.search, choice)}${location.hash}`);
      session?.choose(choice);
    },
    [session],
  );
  const chooseAudio = useCallback((id: number) => session?.chooseAudio(id), [session]);
  const clicks = useClicks(pause, fullscreen);
  useKeys({ m: sound.toggle, f: fullscreen, ' ': pause, k: pause, i: () => setDetails((d) => !d) });

  return (
    <div className={`stage${idle ? ' idle' : ''}`} ref={stage} data-phase={phase}>
      <video ref={attach} muted autoPlay playsInline disableRemotePlayback tabIndex={-1} aria-label={`Live picture of ${name}`} {...clicks} />
      <Overlay snapshot={snapshot} name={name} onRetry={() => session?.retry()} onPlay={pause} />
      <header className="watch-top">
        <a className="icon-button" href="/" aria-label="All streams"><BackIcon /></a>
        <span className="watch-name"><span className="watch-app">{props.wanted.app === undefined ? '' : `${props.wanted.app}/`}</span>{props.wanted.name}</span>
        <LivePill snapshot={snapshot} />
      </header>
      {sound.muted && phase === 'playing' && !menu && (
        <button type="button" className="unmute" onClick={sound.toggle}><MutedIcon />Tap for sound</button>
      )}
      {details && snapshot !== undefined && <Details snapshot={snapshot} />}
      <Controls phase={phase} sound={sound} details={details} onPause={pause} onFullscreen={fullscreen} onDetails={() => setDetails(!details)} stage={stage}>
        {snapshot !== undefined && <WayMenu snapshot={snapshot} open={menu} onOpen={setMenu} onChoose={choose} onAudio={chooseAudio} />}
      </Controls>
    </div>
  );
}

function Overlay({ snapshot, name, onRetry, onPlay }: { snapshot: Snapshot | undefined; name: string; onRetry: () => void; onPlay: () => void }) {
  const phase = snapshot?.state.phase ?? 'connecting';
  const words = snapshot === undefined ? undefined : describe(snapshot.state, name);
  const busy = phase === 'connecting' || phase === 'stalled';
  const waits = phase === 'waiting' || phase === 'retrying';
  return (
    <>
      {busy && <div className="spinner" aria-hidden="true" />}
      {busy && <p className="busy-words" aria-hidden="true">{phase === 'stalled' ? 'Waiting for more of the stream…' : 'Connecting…'}</p>}
      {phase === 'playing' && snapshot?.videoCodec === undefined && snapshot?.audioCodec !== undefined && (
        <div className="sound-only"><div className="emblem" aria-hidden="true"><SoundIcon /></div>Sound only</div>
      )}
      {(phase === 'paused' || phase === 'blocked') && (
        <button type="button" className="big-play" onClick={onPlay} aria-label="Play"><PlayIcon /></button>
      )}
      <div className={words === undefined ? 'hidden' : 'message'} role="status" aria-live="polite">
        {words === undefined ? (
          spoken(phase)
        ) : (
          <>
            <div className={waits ? 'ripples' : 'emblem'} aria-hidden="true">{waits ? <><span /><span /><span /></> : <Logo />}</div>
            <h1>{words.title}</h1>
            <p>{words.body}</p>
            {(phase === 'unsupported' || phase === 'refused') && <button type="button" className="button" onClick={onRetry}>Try again</button>}
          </>
        )}
      </div>
    </>
  );
}

/** For screen readers, while nothing is written over the picture. */
const spoken = (phase: string): string =>
  ({ playing: 'Playing live', stalled: 'Buffering', connecting: 'Connecting', paused: 'Paused', blocked: 'Press play to start' })[phase] ?? '';

function toggleFullscreen(stage: HTMLElement | null, video: HTMLVideoElement | null): void {
  if (document.fullscreenElement !== null) void document.exitFullscreen();
  else if (typeof stage?.requestFullscreen === 'function') stage.requestFullscreen().catch(() => {});
  // iPhones know fullscreen only for the video element itself.
  else (video as { webkitEnterFullscreen?: () => void } | null)?.webkitEnterFullscreen?.();
}

const doubleClickMillis = 220;

/** Mouse: one click pauses, two go to full screen. A touch only brings the controls back. */
function useClicks(once: () => void, twice: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  return {
    onClick: (e: { nativeEvent: Event; detail: number }): void => {
      clearTimeout(timer.current);
      const touch = e.nativeEvent instanceof PointerEvent && e.nativeEvent.pointerType === 'touch';
      if (!touch && e.detail === 1) timer.current = setTimeout(once, doubleClickMillis);
    },
    onDoubleClick: twice,
  };
}

/** One listener for good: one that is renewed while an event is on its way misses that event. */
function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const onKey = (e: KeyboardEvent): void => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return;
      const inControl = e.target instanceof HTMLElement && e.target.closest('button, a, input') !== null;
      if (inControl && (e.key === ' ' || e.key === 'Enter')) return; // it presses the focused control
      const action = latest.current[e.key.toLowerCase()];
      if (action === undefined) return;
      e.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
