using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.Bench.Measure;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>Runs the rounds of `send` and says what came out.</summary>
internal sealed class SendRun(SendPlan plan)
{
    /// <summary>Variants between two runs of the baseline.</summary>
    private const int GroupSize = 4;

    private readonly List<string> _faults = [];
    private readonly Dictionary<(string Case, string Variant), List<Run>> _runs = [];
    private readonly Dictionary<(string Case, string Variant), string> _failures = [];

    public int Execute()
    {
        SendCase[] cases = [.. plan.Cases.Select(static name => SendCase.All.FirstOrDefault(c => c.Name == name) ?? throw new InvalidOperationException($"no such case: {name}"))];
        foreach (string name in plan.Variants)
        {
            if (!cases.Any(c => SendVariant.For(c).Any(v => v.Name == name))) throw new InvalidOperationException($"no such variant for these cases: {name}");
        }

        PinToServerCore();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, plan.Port));
        listener.Listen(plan.Viewers + plan.Askers);
        Console.WriteLine($"streams to {plan.Viewers} connections, objects to {plan.Askers}; sender on core {plan.ServerCore}, receivers on core {plan.LoadCore}; {plan.Rounds} rounds; receivers {(plan.Copies ? "copy" : "discard")}, segments of {(plan.SegmentBytes == 0 ? "the interface's size" : $"{plan.SegmentBytes} bytes")}");
        for (int round = 0; round < plan.Rounds; round++)
        {
            // Every other round goes backwards, so that a drift of the machine falls on all alike.
            foreach (var sendCase in round % 2 == 0 ? cases : cases.Reverse()) RunRound(round, sendCase, listener);
        }

        return Conclude(cases);
    }

    private static IEnumerable<SendVariant> VariantsOf(SendPlan plan, SendCase sendCase) =>
        SendVariant.For(sendCase).Where(v => plan.Variants.Length == 0 || plan.Variants.Contains(v.Name, StringComparer.Ordinal));

    private void RunRound(int round, SendCase sendCase, Socket listener)
    {
        SendVariant[] order = [.. VariantsOf(plan, sendCase)];
        if (round % 2 == 1) Array.Reverse(order);
        var before = RunOne(round, sendCase, SendVariant.Baseline, listener);
        foreach (var group in order.Chunk(GroupSize))
        {
            var reports = group.Select(v => (Variant: v, Report: RunOne(round, sendCase, v, listener))).ToList();
            var after = RunOne(round, sendCase, SendVariant.Baseline, listener);
            double baseline = before is null || after is null ? double.NaN : (before.CpuPerGbit + after.CpuPerGbit) / 2;
            foreach (var (variant, report) in reports)
            {
                if (report is not null && !double.IsNaN(baseline)) RunsOf(sendCase, variant).Add(new Run(report, report.CpuPerGbit / baseline));
            }

            if (before is not null) RunsOf(sendCase, SendVariant.Baseline).Add(new Run(before, null));
            before = after;
        }

        if (before is not null) RunsOf(sendCase, SendVariant.Baseline).Add(new Run(before, null));
    }

    private TrialReport? RunOne(int round, SendCase sendCase, SendVariant variant, Socket listener)
    {
        try
        {
            using SendTrial trial = sendCase.IsStream ? new StreamTrial(plan, sendCase, variant, listener) : new ObjectTrial(plan, sendCase, variant, listener);
            var report = trial.Run();
            string[] faults = [.. report.Invalid(sendCase.IsStream, variant.Spins)];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  round {round + 1}  {sendCase.Name,-10} {variant.Name,-14} {report.CpuPerGbit:F4} CPU s/Gbit  core {report.CorePerGbit:F4}{(faults.Length > 0 ? "  INVALID" : "")}"));
            foreach (string fault in faults) _faults.Add($"round {round + 1}, {sendCase.Name}, {variant.Name}: {fault}");
            return faults.Length == 0 ? report : null;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            // The kernel, or the rights of this process, do not allow this way: that is a result.
            _failures[(sendCase.Name, variant.Name)] = e.Message;
            return null;
        }
    }

    private List<Run> RunsOf(SendCase sendCase, SendVariant variant)
    {
        if (!_runs.TryGetValue((sendCase.Name, variant.Name), out var runs)) _runs[(sendCase.Name, variant.Name)] = runs = [];
        return runs;
    }

    private int Conclude(IEnumerable<SendCase> cases)
    {
        List<SendResult> results = [];
        foreach (var sendCase in cases)
        {
            Console.WriteLine($"\n{sendCase.Name}: {(sendCase.IsStream ? "a pass of about" : "objects of")} {sendCase.TypicalBytes} bytes; CPU s/Gbit, ratio to {SendVariant.BaselineName}, core busy s/Gbit");
            foreach (var variant in VariantsOf(plan, sendCase).Prepend(SendVariant.Baseline))
            {
                var runs = RunsOf(sendCase, variant);
                string? failure = runs.Count > 0 ? null : _failures.GetValueOrDefault((sendCase.Name, variant.Name), "no valid run");
                results.Add(new SendResult
                {
                    Case = sendCase.Name,
                    Variant = variant.Name,
                    CpuPerGbit = Summary.Of(runs.Select(static r => r.Report.CpuPerGbit)),
                    Ratio = Summary.Of(runs.Where(static r => r.Ratio is not null).Select(static r => r.Ratio!.Value)),
                    Trials = [.. runs.Select(static r => r.Report)],
                    Failure = failure,
                });
                results[^1].Print();
            }
        }

        var machine = MachineFacts.Collect();
        Console.WriteLine($"\n{machine}");
        foreach (var ((name, variant), failure) in _failures) Console.WriteLine($"FAILED {name}, {variant}: {failure}");
        foreach (string fault in _faults) Console.WriteLine($"INVALID {fault}");
        string file = ResultFile.Write("send", plan.Keep, new { plan, machine, results, faults = _faults, variants = results.Select(static r => r.Variant).Distinct(StringComparer.Ordinal) });
        Console.WriteLine($"written: {Path.GetRelativePath(Environment.CurrentDirectory, file)}");
        return _faults.Count > 0 ? 2 : 0;
    }

    private unsafe void PinToServerCore()
    {
        ulong mask = 1UL << plan.ServerCore;
        if (Libc.sched_setaffinity(0, sizeof(ulong), &mask) < 0) throw new InvalidOperationException($"core {plan.ServerCore} cannot be used");
    }

    private sealed record Run(TrialReport Report, double? Ratio);
}
