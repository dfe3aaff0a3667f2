using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millrace.Node.Tests.Harness;

/// <summary>An HTTP answer's head.</summary>
internal sealed record RawAnswer(int Status, SortedDictionary<string, string> Fields)
{
    public string Field(string name) => Fields.TryGetValue(name, out var value) ? value : "";

    /// <summary>All that has to be the same whoever answers: everything but the date.</summary>
    public string Comparable => Status + "\n" + string.Join('\n', Fields.Where(pair => pair.Key != "date").Select(pair => $"{pair.Key}: {pair.Value}"));
}

/// <summary>A connection to the media port whose every byte the test decides on.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly List<byte> _held = [];
    private int _chunkLeft;

    public RawHttp(int port)
    {
        _socket.Connect(IPAddress.Loopback, port);
        _socket.ReceiveTimeout = (int)Wait.Deadline.TotalMilliseconds;
    }

    public Socket Socket => _socket;

    public static string Get(string target, string more = "") => $"GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n";

    public void Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[_socket.Send(bytes)..];
    }

    public RawAnswer ReadHead()
    {
        var end = -1;
        while ((end = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_held).IndexOf("\r\n\r\n"u8)) < 0)
            Receive().ShouldBeTrue("the connection ended within an answer's head");
        var lines = Encoding.Latin1.GetString([.. _held.Take(end)]).Split("\r\n");
        _held.RemoveRange(0, end + 4);
        var fields = new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.Skip(1))
            fields.Add(line[..line.IndexOf(':')].ToLowerInvariant(), line[(line.IndexOf(':') + 1)..].Trim());
        return new RawAnswer(int.Parse(lines[0].Split(' ')[1]), fields);
    }

    public byte[] ReadBytes(int count)
    {
        while (_held.Count < count)
            Receive().ShouldBeTrue($"the connection ended after {_held.Count} of {count} bytes");
        var bytes = _held.Take(count).ToArray();
        _held.RemoveRange(0, count);
        return bytes;
    }

    public void SkipBytes(int count)
    {
        var held = Math.Min(count, _held.Count);
        _held.RemoveRange(0, held);
        var buffer = new byte[64 * 1024];
        for (count -= held; count > 0;)
        {
            var received = _socket.Receive(buffer.AsSpan(0, Math.Min(count, buffer.Length)));
            received.ShouldBeGreaterThan(0, $"the connection ended {count} bytes too early");
            count -= received;
        }
    }

    public string ReadBody(RawAnswer answer) => Encoding.UTF8.GetString(ReadBytes(int.Parse(answer.Field("content-length"))));

    /// <summary>The next bytes of a body, without what frames them; fewer when the body ends before.</summary>
    public byte[] ReadMedia(RawAnswer answer, int count)
    {
        if (answer.Field("transfer-encoding") != "chunked")
            return ReadBytes(count);
        var media = new List<byte>();
        while (media.Count < count && (_chunkLeft > 0 || TryReadChunkHead()))
        {
            var taken = Math.Min(_chunkLeft, count - media.Count);
            media.AddRange(ReadBytes(taken));
            _chunkLeft -= taken;
            if (_chunkLeft == 0)
                ReadBytes(2);
        }

        return [.. media];
    }

    /// <summary>What ends a chunked body of one chunk, if it is one.</summary>
    public void SkipEndOfChunks(RawAnswer answer)
    {
        if (answer.Field("transfer-encoding").Length > 0)
            ReadBytes("\r\n0\r\n\r\n".Length);
    }

    /// <summary>Whether another byte comes before the peer closes.</summary>
    public bool HasMore() => _held.Count > 0 || Receive();

    /// <summary>All that comes until the peer closes.</summary>
    public byte[] ReadToEnd()
    {
        while (Receive())
        {
        }

        return [.. _held];
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>RFC 9112 7.1; false at the last chunk, and where the connection ended without one.</summary>
    private bool TryReadChunkHead()
    {
        int end;
        while ((end = _held.IndexOf((byte)'\n')) < 0)
        {
            if (!Receive())
                return false;
        }

        _chunkLeft = Convert.ToInt32(Encoding.ASCII.GetString(ReadBytes(end + 1)).Trim(), 16);
        return _chunkLeft > 0;
    }

    private bool Receive()
    {
        var buffer = new byte[64 * 1024];
        int received;
        try
        {
            received = _socket.Receive(buffer);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return false;
        }

        _held.AddRange(buffer.AsSpan(0, received));
        return received > 0;
    }
}
