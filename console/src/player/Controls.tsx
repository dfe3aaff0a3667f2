import { useEffect, useState, type ReactNode, type RefObject } from 'react';
import type { Phase } from '../media/machine';
import { ExitFullscreenIcon, FullscreenIcon, InfoIcon, MutedIcon, PauseIcon, PlayIcon, SoundIcon } from './icons';
import type { Sound } from './useSound';

interface Props {
  readonly phase: Phase;
  readonly sound: Sound;
  readonly details: boolean;
  readonly stage: RefObject<HTMLElement | null>;
  /** The menu of ways. */
  readonly children: ReactNode;
  onPause(): void;
  onFullscreen(): void;
  onDetails(): void;
}

export function Controls({ phase, sound, details, stage, children, onPause, onFullscreen, onDetails }: Props) {
  const full = useFullscreen(stage);
  const stopped = phase === 'paused' || phase === 'blocked';
  const playable = stopped || phase === 'playing' || phase === 'stalled';
  return (
    <div className="controls" role="group" aria-label="Player">
      <button type="button" className="icon-button" onClick={onPause} disabled={!playable} aria-label={stopped ? 'Play' : 'Pause'} aria-keyshortcuts="Space">
        {stopped ? <PlayIcon /> : <PauseIcon />}
      </button>
      <button type="button" className="icon-button" onClick={sound.toggle} aria-label={sound.muted ? 'Sound on' : 'Mute'} aria-keyshortcuts="m">
        {sound.muted ? <MutedIcon /> : <SoundIcon />}
      </button>
      <input className="volume" type="range" min={0} max={1} step={0.05} value={sound.muted ? 0 : sound.volume} onChange={(e) => sound.setVolume(Number(e.target.value))} aria-label="Volume" />
      <span className="spring" />
      {children}
      <button type="button" className="icon-button" onClick={onDetails} aria-label="Details" aria-pressed={details} aria-keyshortcuts="i"><InfoIcon /></button>
      <button type="button" className="icon-button" onClick={onFullscreen} aria-label={full ? 'Leave full screen' : 'Full screen'} aria-keyshortcuts="f">
        {full ? <ExitFullscreenIcon /> : <FullscreenIcon />}
      </button>
    </div>
  );
}

function useFullscreen(stage: RefObject<HTMLElement | null>): boolean {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const renew = (): void => setFull(document.fullscreenElement !== null && document.fullscreenElement === stage.current);
    document.addEventListener('fullscreenchange', renew);
    return () => document.removeEventListener('fullscreenchange', renew);
  }, [stage]);
  return full;
}
