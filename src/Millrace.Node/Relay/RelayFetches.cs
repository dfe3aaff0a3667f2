using Millrace.Node.Hls;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Relay;

/// <summary>What is asked of another node besides the log: playlists, and objects that were packaged before. On its connections' shard.</summary>
internal sealed class RelayFetches
{
    /// <summary>Playlists that were asked for come within this, microseconds, or are asked for again by who needs them.</summary>
    private const long PlaylistMicros = 10_000_000;

    /// <summary>Objects on their way at once, far fewer than a node takes questions for: those that viewers want next would come last else.</summary>
    private const int Window = 32;

    private readonly Dictionary<uint, HlsFetch> _fetches = [];

    /// <summary>Beyond the window; each object of the playlists is in here once at most.</summary>
    private readonly Queue<HlsFetch> _waiting = [];
    private readonly Dictionary<HlsFormat, long> _wanted = [];
    private RelayConnection? _connection;
    private uint _lastId;

    /// <summary>The forms whose playlists are needed, a bit for each.</summary>
    public byte Formats => (byte)_wanted.Keys.Sum(static format => 1 << (int)format);

    /// <summary>Asks for a form's playlists, also where they have been asked for before.</summary>
    public void Want(HlsFormat format, long now)
    {
        if (_wanted.Remove(format))
            Tell(now);
        _wanted[format] = now;
        Tell(now);
    }

    public void Add(HlsFetch fetch, long now)
    {
        _waiting.Enqueue(fetch);
        AskNext(now);
    }

    /// <summary>A connection has been made: what is still missing is asked for again.</summary>
    public void Resume(RelayConnection connection, long now)
    {
        _connection = connection;
        // What is needed since the request was made.
        if (_wanted.Count > 0)
            Tell(now);
        foreach (var (id, fetch) in _fetches)
            Ask(id, fetch, now);
    }

    /// <summary>The connection has gone.</summary>
    public void Abandon()
    {
        _connection = null;
        foreach (var fetch in _fetches.Values)
            fetch.Abandon();
    }

    /// <summary>Nothing of it will come.</summary>
    public void Fail()
    {
        foreach (var fetch in _fetches.Values)
            fetch.Fail();
        _fetches.Clear();
        while (_waiting.TryDequeue(out var fetch))
            fetch.Fail();
    }

    /// <summary>Playlists that nobody asks for any more are not needed from the origin either.</summary>
    public void Sweep(LiveStream stream, long now)
    {
        foreach (var (format, since) in _wanted)
        {
            if (stream.FindHls(format) is not null || now - since < PlaylistMicros)
                continue;
            _wanted.Remove(format);
            Tell(now);
            stream.StopAwaitingHls();
        }
    }

    public string? OnObject(in RelayEvent happened, long now)
    {
        if (!_fetches.TryGetValue(happened.Id, out var fetch))
            return null;
        if (happened.Status == 200 && fetch.TryBegin(happened.Length))
            return null;
        _fetches.Remove(happened.Id);
        fetch.Fail();
        AskNext(now);
        return null;
    }

    public string? OnData(in RelayEvent happened, long now)
    {
        // What was given up while it was under way.
        if (!_fetches.TryGetValue(happened.Id, out var fetch))
            return null;
        if (!fetch.TryTake(happened.Payload.Span))
            return "an object with more bytes than it was said to have";
        if (fetch.IsThrough && _fetches.Remove(happened.Id))
            AskNext(now);
        return null;
    }

    private void AskNext(long now)
    {
        while (_fetches.Count < Window && _waiting.TryDequeue(out var fetch))
        {
            _fetches[++_lastId] = fetch;
            Ask(_lastId, fetch, now);
        }
    }

    private void Ask(uint id, HlsFetch fetch, long now)
    {
        if (_connection is not { } connection)
            return;
        connection.Protocol.Fetch(connection.Shard.Reply, id, fetch.Name.ToString());
        connection.SendReply(now);
    }

    private void Tell(long now)
    {
        if (_connection is not { } connection)
            return;
        connection.Protocol.Want(connection.Shard.Reply, Formats);
        connection.SendReply(now);
    }
}
