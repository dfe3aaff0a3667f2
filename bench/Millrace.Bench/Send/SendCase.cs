namespace Millrace.Bench.Send;

/// <summary>What is sent: frames of a live stream to all connections in passes, or one object to each connection that asks.</summary>
internal sealed record SendCase
{
    public required string Name { get; init; }

    /// <summary>A stream's frames, bytes, in a loop; empty = an object.</summary>
    public int[] Frames { get; init; } = [];

    /// <summary>From one frame to the next, ms.</summary>
    public double FrameMs { get; init; }

    /// <summary>How long the first byte of a pass may wait for more of them, ms; 0 = each frame is a pass.</summary>
    public double WindowMs { get; init; }

    /// <summary>Body of an object, bytes; 0 = a stream.</summary>
    public int ObjectBytes { get; init; }

    public bool IsStream => ObjectBytes == 0;

    /// <summary>Bytes between two passes where all are alike, or of an object.</summary>
    public int TypicalBytes => IsStream ? (int)(Frames.Average() * Math.Max(1, WindowMs / FrameMs)) : ObjectBytes;

    // Windows of a stream of 2.65 Mbit/s; the group of pictures has the same rate.
    public static IReadOnlyList<SendCase> All { get; } =
    [
        Window("10ms", 10, 3_312),
        Window("30ms", 30, 9_937),
        Window("50ms", 50, 16_562),
        Window("350ms", 350, 115_937),
        new SendCase { Name = "gop", Frames = GroupOfPictures(), FrameMs = 1000 / 30.0 },
        new SendCase { Name = "gop-350ms", Frames = GroupOfPictures(), FrameMs = 1000 / 30.0, WindowMs = 350 },
        new SendCase { Name = "64KB", ObjectBytes = 64 * 1024 },
        new SendCase { Name = "640KB", ObjectBytes = 640 * 1024 },
        new SendCase { Name = "1.25MB", ObjectBytes = 1280 * 1024 },
    ];

    private static SendCase Window(string name, double ms, int bytes) => new() { Name = name, Frames = [bytes], FrameMs = ms };

    private static int[] GroupOfPictures() => [100_000, .. Enumerable.Repeat(7_974, 29)];
}
