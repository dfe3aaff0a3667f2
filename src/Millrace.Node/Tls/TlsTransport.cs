using System.Net.Security;
using System.Runtime.CompilerServices;

namespace Millrace.Node.Tls;

/// <summary>
/// The way of a TLS connection to its socket. Few handshakes may compute at a time, so that a storm of them does not keep established connections from
/// the thread pool; one that waits for its peer computes nothing, and lets the next one. Behind the handshake it knows when nothing is being decrypted.
/// </summary>
/// <param name="inner">The socket.</param>
/// <param name="turns">How many may compute.</param>
internal sealed class TlsTransport(Stream inner, SemaphoreSlim turns) : Stream
{
    /// <summary>Behind the handshake held by who reads, but while he waits for the peer, and by who ends the connection.</summary>
    private readonly SemaphoreSlim _use = new(1, 1);

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

    /// <summary>Reads what the peer has sent, decrypted; there is no other way to read from <paramref name="secure"/>, which is over this.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadFromAsync(SslStream secure, Memory<byte> buffer)
    {
        await _use.WaitAsync();
        try
        {
            return await secure.ReadAsync(buffer);
        }
        finally
        {
            _use.Release();
        }
    }

    /// <summary>
    /// Says that nothing more is sent (close_notify). SslStream guards reading and writing against each other, but not this: beside a read that decrypts it
    /// destroys OpenSSL's memory.
    /// </summary>
    public async Task ShutdownAsync(SslStream secure)
    {
        Task sending;
        await _use.WaitAsync();
        try
        {
            // It is made before the first wait, which is for the socket.
            sending = secure.ShutdownAsync();
        }
        finally
        {
            _use.Release();
        }

        await sending;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isHandshake ? ReadInTurnAsync(buffer, cancellationToken) : ReadAtRestAsync(buffer, cancellationToken);

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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadAtRestAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _use.Release();
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken);
        }
        finally
        {
            await _use.WaitAsync(CancellationToken.None);
        }
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
