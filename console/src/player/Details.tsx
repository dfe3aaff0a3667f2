import type { Snapshot } from '../media/snapshot';
import { transportNames } from './WayMenu';

const seconds = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(2)} s`);

/** Numbers for support, on request. */
export function Details({ snapshot: s }: { snapshot: Snapshot }) {
  const rows: readonly (readonly [string, string])[] = [
    ['Picture', s.width > 0 ? `${s.width} × ${s.height}` : '–'],
    ['Codecs', [s.videoCodec, s.audioCodec].filter((c) => c !== undefined).join(', ') || '–'],
    ['Transport', s.transport === undefined ? '–' : transportNames[s.transport]],
    ['Received', s.kilobits === undefined ? '–' : `${(s.kilobits / 1000).toFixed(2)} Mbit/s`],
    ['Behind live', seconds(s.latency)],
    ['Buffer', s.target === undefined ? seconds(s.buffer) : `${seconds(s.buffer)} of ${seconds(s.target)}`],
    ['Speed', `${s.rate.toFixed(2)} ×`],
    ['Frames dropped', `${s.droppedFrames} of ${s.decodedFrames}`],
    ['Stalls, jumps', `${s.stalls}, ${s.jumps}`],
    ['Timeline, era', s.timeline === '' ? '–' : `${s.timeline.slice(0, 8)}, ${s.era}`],
  ];
  return (
    <dl className="details">
      {rows.map(([label, value]) => (
        <div key={label}><dt>{label}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}
