namespace Millrace.Tests.Deploy;

/// <summary>An instruction of a Dockerfile.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Flags">--from=build and the like.</param>
/// <param name="Text">The rest, on one line.</param>
internal sealed record ContainerInstruction(string Name, IReadOnlyList<string> Flags, string Text)
{
    public IReadOnlyList<string> Words => Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Of COPY: the stage that it copies from; null is the build context.</summary>
    public string? Source => Flags.FirstOrDefault(static flag => flag.StartsWith("--from=", StringComparison.Ordinal))?["--from=".Length..];
}

/// <summary>From one FROM to the next.</summary>
/// <param name="Image">What it begins with.</param>
/// <param name="Name">What others call it; empty for the last.</param>
/// <param name="Instructions">Without its FROM.</param>
internal sealed record ContainerStage(string Image, string Name, IReadOnlyList<ContainerInstruction> Instructions)
{
    public IEnumerable<ContainerInstruction> All(string name) => Instructions.Where(instruction => instruction.Name == name);
}

/// <summary>Reads the repository's Dockerfile, as much of the format as it uses.</summary>
internal static class ContainerFile
{
    private static readonly string[] Known = ["FROM", "WORKDIR", "COPY", "RUN", "EXPOSE", "USER", "HEALTHCHECK", "ENTRYPOINT", "CMD"];

    /// <exception cref="FormatException">A word that is no instruction known here, or an instruction before the first FROM.</exception>
    public static IReadOnlyList<ContainerStage> Read(string root)
    {
        var stages = new List<ContainerStage>();
        var text = File.ReadAllText(Path.Combine(root, "deploy", "Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal);
        foreach (var line in text.Split('\n').Where(static line => line.Length > 0 && line[0] != '#'))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!Known.Contains(words[0]) || (stages.Count == 0 && words[0] != "FROM"))
                throw new FormatException(line);
            if (words[0] == "FROM")
            {
                stages.Add(new ContainerStage(words[1], words is [_, _, "AS", _] ? words[3] : "", new List<ContainerInstruction>()));
                continue;
            }

            var flags = words.Skip(1).TakeWhile(static word => word.StartsWith("--", StringComparison.Ordinal)).ToList();
            ((List<ContainerInstruction>)stages[^1].Instructions).Add(new ContainerInstruction(words[0], flags, string.Join(' ', words.Skip(1 + flags.Count))));
        }

        return stages;
    }
}
