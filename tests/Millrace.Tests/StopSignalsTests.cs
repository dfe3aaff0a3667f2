using System.Runtime.InteropServices;

namespace Millrace.Tests;

public sealed class StopSignalsTests
{
    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    public void The_first_signal_asks_and_the_second_ends(PosixSignal signal, int code)
    {
        var codes = new List<int>();
        using var signals = new StopSignals(codes.Add);

        var first = new PosixSignalContext(signal);
        signals.OnSignal(first);
        first.Cancel.ShouldBeTrue("the runtime must not end the process by itself");
        signals.Token.IsCancellationRequested.ShouldBeTrue();
        codes.ShouldBeEmpty();

        signals.OnSignal(new PosixSignalContext(signal));
        codes.ShouldBe([code]);
    }
}
