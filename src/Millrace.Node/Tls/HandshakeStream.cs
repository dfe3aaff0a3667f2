namespace Millrace.Node.Tls;

/// <summary>
/// The way of a TLS handshake to its socket. Few handshakes may compute at a time, so that a storm of them does not keep established connections from
/// the thread pool; one that waits for its peer computes nothing, and lets the next one. Behind the handshake it is not in the way.
/// </summary>
/// <param name="inner">The socket.</param>
/// <param name="turns">How many may compute.</param>
internal sealed class HandshakeStream(Stream inner, SemaphoreSlim turns) : Stream
{
    private bool _isHandshake;
    private bool _hasTurn;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Runs the handshake, in its turns.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> handshake, CancellationToken cancellationToken)
    {
        _isHandshake = true;
        try
        {
            await TakeTurnAsync(cancellationToken);
            await handshake(cancellationToken);
        }
        finally
        {
            _isHandshake = false;
            GiveTurn();
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isHandshake ? ReadInTurnAsync(buffer, cancellationToken) : inner.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadInTurnAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        GiveTurn();
        var count = await inner.ReadAsync(buffer, cancellationToken);
        await TakeTurnAsync(cancellationToken);
        return count;
    }

    private async Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken);
        _hasTurn = true;
    }

    private void GiveTurn()
    {
        if (!_hasTurn)
            return;
        _hasTurn = false;
        turns.Release();
    }
}
