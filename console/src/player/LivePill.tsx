import { useEffect, useRef, useState } from 'react';
import type { Snapshot } from '../media/snapshot';

/** "Live · 0.8 s behind". Smoothed and renewed once a second: a number that flickers cannot be read. */
export function LivePill({ snapshot }: { snapshot: Snapshot | undefined }) {
  const latency = useCalm(snapshot?.latency);
  const phase = snapshot?.state.phase ?? 'connecting';
  const live = phase === 'playing' || phase === 'stalled';
  const title = 'Time from the arrival of a picture at the server until you see it';
  return (
    <span className={`pill${live ? ' live' : ''}`} title={title}>
      <span className="dot" />
      {live ? 'Live' : labels[phase]}
      {live && latency !== undefined && (
        <span className="behind">
          <span aria-hidden="true">·</span> {snapshot?.latencyExact === true ? '' : '≈ '}{Math.max(0, latency).toFixed(1)} s behind
        </span>
      )}
    </span>
  );
}

const labels: Record<string, string> = {
  connecting: 'Connecting', waiting: 'Not live', paused: 'Paused', blocked: 'Ready', retrying: 'Reconnecting', unsupported: 'Not playable', refused: 'Not allowed',
};

const renewMillis = 1_000;
const weight = 0.3;

function useCalm(value: number | undefined): number | undefined {
  const average = useRef<number>(undefined);
  const [shown, setShown] = useState<number>();
  if (value === undefined) average.current = undefined;
  else if (average.current === undefined || Math.abs(value - average.current) > 1) average.current = value;
  else average.current += (value - average.current) * weight;
  const known = value !== undefined;
  useEffect(() => {
    const renew = (): void => setShown(average.current);
    renew();
    const timer = setInterval(renew, renewMillis);
    return () => clearInterval(timer);
  }, [known]);
  return shown;
}
