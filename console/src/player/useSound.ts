import { useCallback, useEffect, useState } from 'react';

export interface Sound {
  readonly muted: boolean;
  readonly volume: number;
  toggle(): void;
  setVolume(volume: number): void;
}

const storageKey = 'millrace.volume';
const quietest = 0.05;

/** Only the volume is remembered: browsers let a page start by itself only when it is muted. */
export function useSound(video: HTMLVideoElement | null): Sound {
  const [muted, setMuted] = useState(true);
  const [volume, storeVolume] = useState(readVolume);

  useEffect(() => {
    if (video === null) return;
    video.muted = muted;
    video.volume = volume;
  }, [video, muted, volume]);

  const toggle = useCallback(() => setMuted((m) => !m), []);
  const setVolume = useCallback((wanted: number) => {
    setMuted(wanted < quietest);
    if (wanted < quietest) return;
    storeVolume(wanted);
    try {
      localStorage.setItem(storageKey, String(wanted));
    } catch {
      // Storage is forbidden in some private windows: the volume is then forgotten.
    }
  }, []);
  return { muted, volume, toggle, setVolume };
}

function readVolume(): number {
  try {
    const stored = Number(localStorage.getItem(storageKey));
    return stored >= quietest && stored <= 1 ? stored : 1;
  } catch {
    return 1;
  }
}
