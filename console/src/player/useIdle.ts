import { useEffect, useState, type RefObject } from 'react';

const idleMillis = 3_000;

/** True when nobody has pointed, touched or typed for a while: the controls then give way to the picture. */
export function useIdle(area: RefObject<HTMLElement | null>): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const ends = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const wake = (): void => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), idleMillis);
    };
    wake();
    for (const name of ['pointermove', 'pointerdown', 'focusin'] as const) element.addEventListener(name, wake, { signal: ends.signal });
    document.addEventListener('keydown', wake, { signal: ends.signal });
    return () => {
      ends.abort();
      clearTimeout(timer);
    };
  }, [area]);
  return idle;
}
