using System.Buffers;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Load;

/// <summary>A viewer's (or publisher's) side of a protocol without its socket: bytes in, bytes to send in <see cref="Output"/>.</summary>
internal abstract class MediaClient
{
    public ArrayBufferWriter<byte> Output { get; } = new(256);

    /// <summary>The server has confirmed: media arrives, or a publisher may send. After it a viewer may stop parsing.</summary>
    public bool Started { get; protected set; }

    /// <summary>Everything that the client sends on its own has been sent; the rest is the server's move.</summary>
    public bool Asked { get; protected set; }

    /// <summary>Received bytes after which the server wants an Acknowledgement (RTMP 1.0, 5.4.3); 0 = none.</summary>
    public uint AckWindow { get; protected set; }

    public Action<MediaMessage>? OnMedia { get; set; }

    /// <summary>Writes a sign of life when one is due, where the server takes for dead who gives none.</summary>
    public virtual void Beat()
    {
    }

    /// <summary>Writes what is sent first.</summary>
    public abstract void Open();

    /// <exception cref="InvalidDataException">The server refused or sent something that is not the protocol.</exception>
    public abstract void Feed(ReadOnlySpan<byte> bytes);

    protected void Deliver(in MediaMessage message)
    {
        Started = true;
        OnMedia?.Invoke(message);
    }
}
