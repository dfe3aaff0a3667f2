using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using Millrace.Media.Flv;

namespace Millrace.Node.Tests.Harness;

/// <summary>
/// Publishes numbered pictures, 50 a second, behind the clip's real sequence headers, until it is disposed: every 20th is a key frame. Where there are
/// several publishers each sends the same pictures at the same times.
/// </summary>
internal sealed class NumberedSource : IDisposable
{
    /// <summary>Duration of a picture.</summary>
    public const int FrameMillis = 20;

    /// <summary>Pictures from a key frame to the next.</summary>
    public const int Group = 20;

    private const int NumberAt = 10;
    private const int NalUnitAt = 9;
    private const int BodyLength = NumberAt + 400;
    private const byte Filler = 0x9A;
    private const byte IdrSlice = 0x65;
    private const byte Slice = 0x41;

    private readonly int _frameMillis;
    private readonly RtmpPeer[] _publishers;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stops = new();

    public NumberedSource(params RtmpPeer[] publishers)
        : this(FrameMillis, publishers)
    {
    }

    /// <param name="frameMillis">Duration of a picture where there are so many publishers that fewer pictures must do.</param>
    /// <param name="publishers">Who publish.</param>
    public NumberedSource(int frameMillis, RtmpPeer[] publishers)
    {
        (_frameMillis, _publishers) = (frameMillis, publishers);
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Pictures that were sent.</summary>
    public int Sent { get; private set; }

    /// <summary>The numbers of the pictures that a player was sent, in order.</summary>
    public static List<int> NumbersOf(RtmpPeer player) =>
        [.. player.Media.Where(static tag => tag.Type == FlvTagType.Video && !tag.IsSequenceHeader).Select(static tag => BinaryPrimitives.ReadInt32BigEndian(tag.Body.AsSpan(NumberAt)))];

    /// <summary>The numbers of the pictures in FLV or MP4, in order: in both a picture is its NAL unit behind the length of that.</summary>
    public static List<int> NumbersIn(ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, BodyLength - NalUnitAt);
        var numbers = new List<int>();
        for (var at = 0; bytes[at..].IndexOf(length) is >= 0 and var found; at++)
        {
            at += found;
            var unit = bytes[(at + length.Length)..];
            if (unit.Length >= BodyLength - NalUnitAt && unit[0] is IdrSlice or Slice && !unit[5..(BodyLength - NalUnitAt)].ContainsAnyExcept(Filler))
                numbers.Add(BinaryPrimitives.ReadInt32BigEndian(unit[1..]));
        }

        return numbers;
    }

    /// <summary>A player has been sent pictures, and none is missing between its first and its last.</summary>
    public static void ShouldMissNothing(RtmpPeer player)
    {
        var numbers = NumbersOf(player);
        numbers.Count.ShouldBeGreaterThan(20);
        numbers.ShouldBe([.. Enumerable.Range(numbers[0], numbers.Count)]);
    }

    public void Dispose()
    {
        _stops.Set();
        _thread.Join();
        _stops.Dispose();
    }

    private void Run()
    {
        foreach (var tag in TestClip.Start.Where(static tag => tag.Type == FlvTagType.Video))
            Send(0, tag.Body);
        var clock = Stopwatch.StartNew();
        for (var number = 0; Array.Exists(_publishers, static publisher => !publisher.HasEnded); number++)
        {
            if (_stops.Wait((int)Math.Max(0, (number * _frameMillis) - clock.ElapsedMilliseconds)))
                return;
            Send((uint)(number * _frameMillis), Picture(number));
            Sent = number + 1;
        }
    }

    /// <summary>To all whose connections are there still.</summary>
    private void Send(uint time, byte[] body)
    {
        foreach (var publisher in _publishers)
        {
            try
            {
                if (!publisher.HasEnded)
                    publisher.SendMedia(FlvTagType.Video, time, body);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Debug.WriteLine(e.Message);
            }
        }
    }

    private static byte[] Picture(int number)
    {
        var body = new byte[BodyLength];
        var isKey = number % Group == 0;
        (body[0], body[1]) = (isKey ? (byte)0x17 : (byte)0x27, 1);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(5), BodyLength - NalUnitAt);
        body[NalUnitAt] = isKey ? IdrSlice : Slice;
        body.AsSpan(NumberAt).Fill(Filler);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(NumberAt), number);
        return body;
    }
}
