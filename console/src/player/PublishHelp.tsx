import { useState } from 'react';
import { CheckIcon, CopyIcon } from './icons';

/** How to send a stream to this server, with its own host name filled in. */
export function PublishHelp({ rtmpPort }: { rtmpPort: number }) {
  const host = location.hostname;
  const server = `rtmp://${host}${rtmpPort === 1935 ? '' : `:${rtmpPort}`}/live`;
  const full = `rtmp://${host}:${rtmpPort}/live/demo`;
  return (
    <div className="ways">
      <section className="way">
        <h2>OBS Studio</h2>
        <p>Settings → Stream → Service “Custom…”</p>
        <Field label="Server" value={server} />
        <Field label="Stream key" value="demo" />
      </section>
      <section className="way">
        <h2>ffmpeg</h2>
        <p>A file, sent at the speed of its clock:</p>
        <Field label="Command" value={`ffmpeg -re -i input.mp4 -c:v libx264 -preset veryfast -tune zerolatency -g 60 -c:a aac -f flv ${full}`} wrap />
      </section>
      <section className="way">
        <h2>Any RTMP encoder</h2>
        <p>The last part of the address is the name of the stream.</p>
        <Field label="Address" value={full} />
      </section>
    </div>
  );
}

function Field({ label, value, wrap = false }: { label: string; value: string; wrap?: boolean }) {
  const [copied, setCopied] = useState(false);
  // The clipboard exists only on https and on localhost: elsewhere the text is there to be selected.
  const canCopy = typeof navigator.clipboard?.writeText === 'function';
  const copy = (): void => {
    navigator.clipboard.writeText(value).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1_500);
      },
      () => setCopied(false),
    );
  };
  return (
    <div className="field">
      <span className="field-label">{label}</span>
      <span className="field-box">
        <code className={wrap ? 'wrap' : undefined}>{value}</code>
        {canCopy && (
          <button type="button" className="icon-button small" onClick={copy} aria-label={copied ? 'Copied' : `Copy ${label.toLowerCase()}`}>
            {copied ? <CheckIcon /> : <CopyIcon />}
          </button>
        )}
      </span>
    </div>
  );
}
