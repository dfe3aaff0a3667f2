using Millrace.Conformance.Tests.Origin;

namespace Millrace.Conformance.Tests;

/// <summary>Each rule fails on an origin that breaks it, and a fault is found by its own rules alone.</summary>
public sealed class FaultTests
{
    public static TheoryData<string> Names => [.. Faults.All.Select(fault => fault.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_fault_is_found_by_its_rules_and_by_no_others(string name)
    {
        var fault = Faults.All.Single(fault => fault.Name == name);
        var report = Crawls.Of(fault.Apply, fault.Seconds);
        report.Failures.Select(failure => failure.Id).Order().ShouldBe(fault.Rules.Split(' ').Order(), report.ToTable());
    }
}
