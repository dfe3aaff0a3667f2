using Millrace.Fuzz;

namespace Millrace.Tests;

/// <summary>Every fuzz target still takes its seeds and a few hundred mutations of them; `./dev fuzz` does the rest.</summary>
public sealed class FuzzTargetTests
{
    private const int Runs = 200;

    public static TheoryData<string> Names => [.. AllTargets.Create().Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Seeds_and_some_mutations_pass(string name)
    {
        var target = AllTargets.Create().Single(target => target.Name == name);
        foreach (var seed in target.Seeds)
            target.Run(seed.Bytes, new Random(1));

        var mutator = new Mutator(target.Seeds, target.MaxLength);
        for (var run = 0; run < Runs; run++)
        {
            var input = mutator.Next(new Random(run));
            target.Run(input, new Random(run));
        }
    }
}
