using System.Text;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>The origins of a stream in the order in which they are tried.</summary>
/// <param name="origins">As they stand in the settings, which have been checked.</param>
/// <param name="first">Which is tried first.</param>
/// <param name="protocol">Of those without a scheme.</param>
internal sealed class OriginList(IReadOnlyList<string> origins, int first, UpstreamProtocol protocol = UpstreamProtocol.Rtmp)
{
    /// <summary>How long one that has failed is not tried where there are others, microseconds.</summary>
    private const long DownMicros = 3_000_000;

    private readonly OriginAddress[] _listed = [.. origins.Select(text => Parse(text, protocol))];
    private readonly Dictionary<OriginAddress, long> _downUntil = [];
    private OriginAddress[]? _origins;
    private int _index = first;
    private int _tried;

    public bool IsEmpty => Origins.Length == 0;

    public int Count => Origins.Length;

    public OriginAddress Current => Origins[_index];

    private OriginAddress[] Origins => Volatile.Read(ref _origins) ?? _listed;

    /// <summary>Another round begins with what the cluster's map says; null: with those of the settings alone.</summary>
    public void Prefer(string? url)
    {
        var mapped = url is null ? null : OriginAddress.TryParseUrl(url);
        if (mapped is null && _origins is null)
            return;
        Volatile.Write(ref _origins, mapped is null ? _listed : [mapped, .. _listed.Where(listed => listed != mapped)]);
        (_index, _tried) = (0, 0);
    }

    /// <summary>The current one does not answer: it is left out for a while, as long as there is another.</summary>
    public void LeaveOut(long now)
    {
        if (!IsEmpty)
            _downUntil[Current] = now + DownMicros;
    }

    /// <summary>The current one serves.</summary>
    public void Keep()
    {
        _tried = 0;
        _downUntil.Remove(Current);
    }

    /// <summary>Goes on to the next that is not left out; false when all have been tried since <see cref="Restart"/>.</summary>
    public bool TryNext(long now)
    {
        if (IsEmpty)
            return false;
        do
        {
            _index = (_index + 1) % Origins.Length;
            if (++_tried >= Origins.Length)
                return false;
        }
        while (IsLeftOut(now));
        return true;
    }

    /// <summary>Another round begins, with the one that is the current, or the next that is not left out.</summary>
    public void Restart(long now)
    {
        _tried = 0;
        for (var i = 0; i < Origins.Length && IsLeftOut(now); i++)
            _index = (_index + 1) % Origins.Length;
    }

    private bool IsLeftOut(long now) => _downUntil.TryGetValue(Current, out var until) && now < until;

    public override string ToString() => IsEmpty ? "nowhere" : Current.ToString();

    /// <summary>The same on every node and after each start (FNV-1a).</summary>
    public static uint Hash(StreamName name)
    {
        var hash = 2_166_136_261u;
        foreach (var value in Encoding.UTF8.GetBytes(name.ToString()))
            hash = (hash ^ value) * 16_777_619u;
        return hash;
    }

    private static OriginAddress Parse(string text, UpstreamProtocol protocol) =>
        OriginAddress.TryParse(text, out var address, out var error, protocol) ? address : throw new ArgumentException(error, nameof(text));
}
