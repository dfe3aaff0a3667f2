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
    private readonly OriginAddress[] _origins = [.. origins.Select(text => Parse(text, protocol))];
    private int _index = first;
    private int _tried;

    public int Count => _origins.Length;

    public OriginAddress Current => _origins[_index];

    /// <summary>Goes on to the next; false when all have been tried since <see cref="Restart"/>.</summary>
    public bool TryNext()
    {
        _index = (_index + 1) % _origins.Length;
        return ++_tried < _origins.Length;
    }

    /// <summary>Another round begins, with the one that is the current.</summary>
    public void Restart() => _tried = 0;

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
