using System.Runtime.InteropServices;

namespace Millrace.Node.Shards;

/// <summary>A socket that this node connects itself: it is full until it is connected.</summary>
internal abstract partial class ShardConnection
{
    /// <summary>Neither can anything be said yet nor has anything been.</summary>
    protected bool IsConnecting { get; private set; }

    /// <summary>The socket is about to be connected: <see cref="OnConnected"/> is called when it is; where it cannot be, the connection is closed.</summary>
    protected void ExpectConnect(long now)
    {
        IsConnecting = true;
        Block(now);
    }

    /// <summary>The peer has taken the connection, and can be spoken to.</summary>
    protected virtual void OnConnected(long now)
    {
    }

    private bool TryFinishConnect(int ready, long now)
    {
        if (Native.TakeError(Descriptor) is not 0 and var error)
        {
            Close(Marshal.GetPInvokeErrorMessage(error));
        }
        else if ((ready & Native.EpollOut) == 0)
        {
            Close("the peer closed the connection");
        }
        else
        {
            IsConnecting = _isBlocked = false;
            OnConnected(now);
        }

        return !IsClosed;
    }
}
