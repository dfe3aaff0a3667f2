using System.Security.Cryptography;
using System.Text;
using Millrace.Streams;

namespace Millrace.Node.Access;

internal enum AccessAction
{
    Play,
    Publish,
}

/// <summary>What an RTMP client said in connect, for foreign origins that decide by it.</summary>
internal sealed record RtmpIntroduction(string TcUrl, string SwfUrl, string PageUrl);

/// <summary>Somebody wants to play or publish a stream, and shows what he has for it.</summary>
/// <param name="Stream">Which.</param>
/// <param name="Action">What.</param>
/// <param name="Papers">What he shows, as a query (<see cref="AccessPapers"/>); for no log.</param>
internal sealed record AccessClaim(StreamName Stream, AccessAction Action, string Papers)
{
    /// <summary>Of an RTMP client; null of all others.</summary>
    public RtmpIntroduction? Introduction { get; init; }

    /// <summary>His address; as the two that follow for the origin's information, no part of what is decided by.</summary>
    public string Client { get; init; } = "";

    public string Protocol { get; init; } = "";

    public string Agent { get; init; } = "";

    /// <summary>The same for all who want the same and show the same; says nothing of what they show.</summary>
    /// <param name="isIntroduced">Their introduction counts as well.</param>
    public AccessKey KeyOf(bool isIntroduced)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, Stream.ToString());
        Add(hash, Action == AccessAction.Play ? "play" : "publish");
        Add(hash, Papers);
        if (isIntroduced && Introduction is { } own)
        {
            Add(hash, own.TcUrl);
            Add(hash, own.SwfUrl);
            Add(hash, own.PageUrl);
        }

        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetCurrentHash(bytes);
        return new AccessKey(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Without what he shows.</summary>
    public override string ToString() => $"{Action} {Stream}";

    /// <summary>Behind its length, so that no two rows of texts are the same bytes.</summary>
    private static void Add(IncrementalHash hash, string text)
    {
        hash.AppendData(BitConverter.GetBytes(text.Length));
        hash.AppendData(Encoding.UTF8.GetBytes(text));
    }
}

/// <summary>Stands for a claim where verdicts are kept: half of a SHA-256, so that no credential is kept and all entries are of one size.</summary>
internal readonly record struct AccessKey(UInt128 Hash);
