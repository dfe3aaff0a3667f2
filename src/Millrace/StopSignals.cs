using System.Runtime.InteropServices;

namespace Millrace;

/// <summary>SIGINT and SIGTERM: the first asks for an orderly stop, the second ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Action<int> _exit;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _received;

    /// <param name="exit">Ends the process with a code; replaced in tests.</param>
    public StopSignals(Action<int> exit) => _exit = exit;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public static StopSignals Listen()
    {
        var signals = new StopSignals(Environment.Exit);
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM])
            signals._registrations.Add(PosixSignalRegistration.Create(signal, signals.OnSignal));
        return signals;
    }

    public void OnSignal(PosixSignalContext context)
    {
        // Otherwise the runtime ends the process as soon as this returns.
        context.Cancel = true;

        // The shell's convention: 128 and the number of the signal, 2 or 15.
        if (Interlocked.Increment(ref _received) > 1)
            _exit(context.Signal == PosixSignal.SIGINT ? 130 : 143);
        else
            _stop.Cancel();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }
}
