using Millrace.Media.Flv;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

public sealed class MemoryTests
{
    [Fact]
    public void All_accounts_are_empty_after_everything_has_ended()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Lease.AppendData(0, [5], stream.Now);
        var viewers = WireBytesTests.Keys.Select(key => new WireViewer(stream, key)).ToList();
        publisher.Run(500, onFrame: () => viewers.ForEach(viewer => viewer.Pull(500)));
        var challenger = stream.Publish(duplicate: DuplicatePolicy.Takeover);
        challenger.Audio();
        stream.Budget.Used.ShouldBeGreaterThan(0);

        challenger.Lease.End(isClean: false, stream.Now);
        publisher.Lease.End(isClean: true, stream.Now);
        foreach (var viewer in viewers)
        {
            stream.Live.Detach(viewer.Wire, viewer, stream.Now);
            viewer.Dispose();
        }

        stream.Now += 20_000_000;
        stream.Sweep();
        stream.Registry.Count.ShouldBe(0);
        foreach (var account in stream.Budget.Accounts)
            account.Used.ShouldBe(0);
        stream.Budget.Used.ShouldBe(0);
    }

    [Fact]
    public void Names_that_were_asked_for_once_leave_nothing_behind()
    {
        var stream = new TestStream();
        for (var i = 0; i < 10_000; i++)
        {
            var reader = new WireReaderStub();
            var wire = stream.Registry.Use(
                new StreamName("default", "live", $"n{i}"), reader, static (live, reader) => live.Attach(WireKey.Flv(FlvForm.Legacy), reader, out _, out _))!;
            stream.Registry.Find(new StreamName("default", "live", $"n{i}"))!.Detach(wire, reader, stream.Now);
        }

        stream.Registry.Count.ShouldBe(10_001);
        stream.Sweep();
        stream.Registry.Count.ShouldBe(0);
        stream.Budget.Used.ShouldBe(0);
    }

    [Fact]
    public void A_lease_that_ends_while_it_gathers_gives_back_what_waited()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Lease.Promise(video: true, audio: true);
        for (var i = 0; i < 10; i++)
            publisher.Audio();
        stream.Budget.Used.ShouldBeGreaterThan(0);
        publisher.Lease.End(isClean: false, stream.Now);
        stream.Budget.Used.ShouldBe(0);
    }

    [Fact]
    public void A_budget_that_is_nearly_used_up_refuses_publishers()
    {
        var stream = new TestStream(budget: 1_000_000);
        stream.Budget[Buffers.MemoryUse.Spills].TryCharge(950_000).ShouldBeTrue();
        stream.TryPublish(DuplicatePolicy.Reject, out var refusal).ShouldBeNull();
        refusal.ShouldNotBeNull();
    }
}
