using Millrace.Node.Http;
using Millrace.Node.Metrics;
using Millrace.Streams;

namespace Millrace.Node.Hls;

/// <summary>
/// The bridge from a packager to one HTTP connection of a shard: answers its HLS requests one after the other, each at once or when
/// what it asks for exists.
/// </summary>
internal sealed class HlsPlayer(HttpConnection connection, HttpFront front) : HttpPlayer
{
    private const long NoteMicros = 1_000_000;
    private const int MaxRounds = 8;

    private HlsRequest? _request;
    private HlsAccess? _access;
    private MediaRequestFields _fields;
    private int _viewer;
    private StreamName? _asked;
    private long _deadline = long.MaxValue;
    private long _opened;
    private HlsWaitGroup? _group;
    private HlsPlayer? _next;
    private HlsPlayer? _previous;
    private (StreamName? Stream, TrafficFormat Format, int Viewer, long At) _noted;

    public HttpConnection Connection => connection;

    public override long NextDeadline => _deadline;

    /// <param name="request">What is asked for.</param>
    /// <param name="access">What the viewer shows; null where everybody may play everything.</param>
    /// <param name="fields">Of the request.</param>
    /// <param name="viewer">Who asks, for <see cref="HlsAudience"/>.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Open(HlsRequest request, HlsAccess? access, in MediaRequestFields fields, int viewer, long now)
    {
        (_request, _access, _fields, _viewer) = (request, access, fields, viewer);
        _opened = now;
        _deadline = now;
        Proceed(front.Resolver.Resolve(request, access, now), now);
    }

    /// <summary>What was waited for has happened; there may be something else to wait for.</summary>
    public override void OnReleased(long now)
    {
        Leave();
        Proceed(front.Resolver.Resolve(_request!, _access, now), now);
    }

    public override void OnTimer(long now)
    {
        if (now < _deadline || _group is null)
            return;
        OnReleased(now);
    }

    public override void OnReadable(long now)
    {
        // A request behind this one has its turn after it. Nobody waits for an answer who has gone.
        if (connection.HasPeerEnded)
            connection.Close("the client has gone while its request was waiting");
        else
            connection.HoldNextRequest();
    }

    public override void End(string reason, long now)
    {
        if (_group is null)
            return;
        Leave();
        Answer(HlsResolver.Refuse(503, reason), now);
    }

    public override void OnClosed()
    {
        if (_group is null)
            return;
        Leave();
        connection.CountGone(new TrafficSubject(_asked, _request!.Vhost, _request.Format));
    }

    /// <summary>Takes its place among those who wait for the same thing.</summary>
    internal void Join(HlsWaitGroup group)
    {
        (_group, _next) = (group, group.First);
        if (_next is not null)
            _next._previous = this;
        group.First = this;
        front.Node.HlsAudience.AddWaiting(1);
    }

    /// <summary>Waits no more.</summary>
    internal void Leave()
    {
        if (_group is null)
            return;
        if (_previous is null)
            _group.First = _next;
        else
            _previous._next = _next;
        if (_next is not null)
            _next._previous = _previous;
        (_group, _next, _previous) = (null, null, null);
        front.Node.HlsAudience.AddWaiting(-1);
    }

    private void Proceed(MediaResource resource, long now)
    {
        // Bounded, for whether a condition is met and what a request comes to are judged apart: should they disagree, a shard must not stop for it.
        for (var round = 0; round < MaxRounds && resource.Wait is { } wait; round++)
        {
            // What comes after a wait may be another, with more patience.
            _deadline = Math.Max(_deadline, _opened + wait.LimitMicros);
            if (now >= _deadline)
                break;
            _asked = resource.Asked;
            if (wait.Waiters.On(connection.Shard).TryJoin(this, wait.Condition))
                return;
            resource = front.Resolver.Resolve(_request!, _access, now);
        }

        Answer(resource, now);
    }

    private void Answer(MediaResource resource, long now)
    {
        var (request, fields) = (_request!, _fields);
        (_request, _access, _fields, _asked, _deadline) = (null, null, default, null, long.MaxValue);
        if (resource is { Status: 200, Asked: { } stream } && request.Format != TrafficFormat.Key)
            Note(stream, request.Format, now);
        connection.Answer(request.Answer(resource, fields).Hold(), new TrafficSubject(resource.Asked, request.Vhost, request.Format), now);
    }

    /// <summary>Who watches is noted once a second, however many objects that takes.</summary>
    private void Note(StreamName stream, TrafficFormat format, long now)
    {
        if (_noted.Viewer == _viewer && _noted.Format == format && now - _noted.At < NoteMicros && _noted.Stream == stream)
            return;
        _noted = (stream, format, _viewer, now);
        front.Node.HlsAudience.Note(stream, format, _viewer, now);
    }
}
