import { useEffect, useState } from 'react';
import { pagePath, splitName, resolve } from '../media/address';
import { describeAge, describeAudio, describeVideo, fetchStreams, type ListReply, type LiveStream } from '../shared/streams';
import { ViewersIcon } from './icons';
import { PublishHelp } from './PublishHelp';
import { TopBar } from './TopBar';

const refreshMillis = 2_000;
const searchFrom = 9;
const cardsAtOnce = 120;

/** Refreshes every two seconds while the page is visible; keeps the last good list over a short failure. */
function useStreams(): { reply: ListReply | undefined; unreachable: boolean } {
  const [reply, setReply] = useState<ListReply>();
  const [unreachable, setUnreachable] = useState(false);
  useEffect(() => {
    const ends = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const refresh = async (): Promise<void> => {
      if (!document.hidden) {
        const next = await fetchStreams(ends.signal);
        if (ends.signal.aborted) return;
        setUnreachable(next.kind === 'error');
        setReply((last) => (next.kind === 'error' ? last : next));
      }
      timer = setTimeout(() => void refresh(), refreshMillis);
    };
    void refresh();
    return () => {
      ends.abort();
      clearTimeout(timer);
    };
  }, []);
  return { reply, unreachable };
}

export function ListPage() {
  const { reply, unreachable } = useStreams();
  const [name, setName] = useState('');
  useEffect(() => {
    document.title = 'Live now · Millrace';
  }, []);
  return (
    <div className="page">
      <TopBar />
      <main className="content">
        {unreachable && (
          <p className="notice" role="status">The server does not answer. Trying again…</p>
        )}
        {reply?.kind === 'off' && <OpenForm name={name} setName={setName} />}
        {reply?.kind === 'list' && (reply.streams.length === 0 ? <Empty {...reply} name={name} setName={setName} /> : <Streams {...reply} name={name} setName={setName} />)}
      </main>
    </div>
  );
}

/** What a viewer is typing stays when the list changes meanwhile. */
interface Typed {
  readonly name: string;
  readonly setName: (name: string) => void;
}

function Streams({ streams: list, rtmpPort, fetches, name, setName }: { streams: readonly LiveStream[]; rtmpPort: number; fetches: boolean } & Typed) {
  const [wasTyping] = useState(name !== '');
  const [filter, setFilter] = useState('');
  const [shown, setShown] = useState(cardsAtOnce);
  const wanted = filter.trim().toLowerCase();
  const found = list
    .filter((s) => `${s.app}/${s.stream}`.toLowerCase().includes(wanted))
    .toSorted((a, b) => `${a.app}/${a.stream}`.localeCompare(`${b.app}/${b.stream}`));
  return (
    <>
      <div className="heading">
        <h1>Live now</h1>
        <span className="count" aria-live="polite">{list.length === 1 ? '1 stream' : `${list.length} streams`}</span>
        {list.length >= searchFrom && (
          <input className="search" type="search" placeholder="Find a stream" aria-label="Find a stream" value={filter} onChange={(e) => setFilter(e.target.value)} />
        )}
      </div>
      <ul className="cards">
        {found.slice(0, shown).map((s) => <li key={`${s.vhost}/${s.app}/${s.stream}`}><Card stream={s} /></li>)}
      </ul>
      {found.length === 0 && <p className="quiet">No stream has “{filter}” in its name.</p>}
      {found.length > shown && (
        <button type="button" className="button" onClick={() => setShown(shown + cardsAtOnce)}>Show more</button>
      )}
      {fetches && (
        <details className="publish" open={wasTyping}>
          <summary>Watch another stream</summary>
          <p className="quiet">This server fetches a stream as soon as somebody asks for it by its name.</p>
          <NameForm name={name} setName={setName} autoFocus={wasTyping} />
        </details>
      )}
      <details className="publish">
        <summary>Publish a stream</summary>
        <PublishHelp rtmpPort={rtmpPort} />
      </details>
    </>
  );
}

function Card({ stream }: { stream: LiveStream }) {
  const media = [stream.video === undefined ? undefined : describeVideo(stream.video), stream.audio === undefined ? undefined : describeAudio(stream.audio)];
  return (
    <a className="card" href={pagePath({ app: stream.app, name: stream.stream }, stream.vhost)}>
      <span className="card-top">
        <span className="badge"><span className="dot" />Live</span>
        <span className="card-viewers" title="Viewers">
          <ViewersIcon />{stream.viewers.toLocaleString('en')}<span className="hidden">{stream.viewers === 1 ? ' viewer' : ' viewers'}</span>
        </span>
      </span>
      <span className="card-name">
        <span className="card-app">{stream.vhost === 'default' || stream.vhost === undefined ? '' : `${stream.vhost} · `}{stream.app}/</span>
        {stream.stream}
      </span>
      <span className="card-media">{media.filter((m) => m !== undefined).map((m) => <span key={m} className="tag">{m}</span>)}</span>
      <span className="card-age">{describeAge(stream.since, Date.now()) && `for ${describeAge(stream.since, Date.now())}`}</span>
    </a>
  );
}

function Empty({ rtmpPort, fetches, name, setName }: { rtmpPort: number; fetches: boolean } & Typed) {
  if (fetches) {
    return (
      <section className="empty">
        <h1>Watch a stream</h1>
        <p className="lead">Nothing plays here right now: this server fetches a stream as soon as somebody asks for it by its name.</p>
        <NameForm name={name} setName={setName} autoFocus />
        <details className="publish" open>
          <summary>Publish a stream</summary>
          <PublishHelp rtmpPort={rtmpPort} />
        </details>
      </section>
    );
  }
  return (
    <section className="empty">
      <div className="ripples" aria-hidden="true"><span /><span /><span /></div>
      <h1>Nothing is live yet</h1>
      <p className="lead">Send a stream and it appears here by itself.</p>
      <PublishHelp rtmpPort={rtmpPort} />
    </section>
  );
}

/** The list is switched off: the viewer has to know the name. */
function OpenForm(typed: Typed) {
  return (
    <section className="empty">
      <h1>Watch a stream</h1>
      <p className="lead">This server does not list its streams. Enter the name of the one to watch.</p>
      <NameForm {...typed} autoFocus />
    </section>
  );
}

function NameForm({ name, setName, autoFocus }: Typed & { autoFocus: boolean }) {
  const wanted = splitName(name.trim());
  return (
    <form
      className="open-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (wanted !== undefined) location.assign(pagePath(resolve(wanted, undefined)));
      }}
    >
      <input className="search" autoFocus={autoFocus} placeholder="live/demo" aria-label="Name of the stream" autoCapitalize="none" autoCorrect="off" spellCheck={false} value={name} onChange={(e) => setName(e.target.value)} />
      <button type="submit" className="button primary" disabled={wanted === undefined}>Watch</button>
    </form>
  );
}
