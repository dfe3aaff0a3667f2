import { useEffect, useId, useRef, type KeyboardEvent } from 'react';
import type { Snapshot } from '../media/snapshot';
import { candidates, type Choice, type Transport } from '../media/transport';
import { UpIcon } from './icons';

export const transportNames: Readonly<Record<Transport, string>> = {
  flv: 'FLV',
  'ws-flv': 'FLV (WebSocket)',
  'll-hls': 'LL-HLS',
  hls: 'HLS (browser)',
};

const choices: readonly (readonly [choice: Choice, label: string, hint: string])[] = [
  ['auto', 'Auto', 'The least delay that works here'],
  ['flv', 'FLV', 'Less than 1 s behind'],
  ['ws', 'FLV over WebSocket', 'Past a proxy that holds FLV back'],
  ['hls', 'LL-HLS', 'About 2 s behind'],
];

interface Props {
  readonly snapshot: Snapshot;
  readonly open: boolean;
  onOpen(open: boolean): void;
  onChoose(choice: Choice): void;
  onAudio(id: number): void;
}

/** Shows the way in which the media comes, and lets the viewer choose it and, where there are several, the sound. */
export function WayMenu({ snapshot: s, open, onOpen, onChoose, onAudio }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useId();
  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLInputElement>('input:checked')?.focus();
    const onPointer = (e: PointerEvent): void => {
      if (!(e.target instanceof Node) || root.current?.contains(e.target) !== true) onOpen(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open, onOpen]);

  const onKey = (e: KeyboardEvent): void => {
    if (e.key !== 'Escape' || !open) return;
    e.stopPropagation();
    onOpen(false);
    button.current?.focus();
  };
  const inUse = s.transport === undefined ? choices.find(([choice]) => choice === s.choice)?.[1] : transportNames[s.transport];
  return (
    <div className="ways-menu" ref={root} onKeyDown={onKey}>
      <button type="button" className="ways-button" ref={button} onClick={() => onOpen(!open)} aria-expanded={open} aria-controls={panel} aria-label={`Way of receiving: ${inUse}`}>
        {inUse}<UpIcon />
      </button>
      {open && (
        <div className="ways-panel" id={panel}>
          <fieldset>
            <legend>Receive by</legend>
            {choices
              .filter(([choice]) => choice !== 'ws' || s.choice === 'ws')
              .map(([choice, label, hint]) => (
                <Option key={choice} group={`${panel}-way`} label={label} hint={hint} checked={s.choice === choice} disabled={candidates(choice, s.abilities).length === 0} onCheck={() => onChoose(choice)} />
              ))}
          </fieldset>
          {s.audioTracks.length > 1 && (
            <fieldset>
              <legend>Sound</legend>
              {s.audioTracks.map(({ id, label }) => (
                <Option key={id} group={`${panel}-sound`} label={label} checked={s.audioTrack === id} onCheck={() => onAudio(id)} />
              ))}
            </fieldset>
          )}
        </div>
      )}
    </div>
  );
}

interface OptionProps {
  readonly group: string;
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  onCheck(): void;
}

const Option = ({ group, label, hint, checked, disabled = false, onCheck }: OptionProps) => (
  <label className="way-option">
    <input type="radio" name={group} checked={checked} disabled={disabled} onChange={onCheck} />
    <span className="way-label">{label}{hint !== undefined && <span className="way-hint">{hint}</span>}</span>
  </label>
);
