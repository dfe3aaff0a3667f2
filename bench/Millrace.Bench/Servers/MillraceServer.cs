namespace Millrace.Bench.Servers;

/// <summary>Our server with its shipped defaults but for the window, the number of connections and <paramref name="more"/>, YAML at the top level.</summary>
internal sealed class MillraceServer(string program, int basePort, int mergeMs, string more = "") : ServerUnderTest
{
    public const string FileName = "millrace.yml";

    public override string Label => $"millrace {mergeMs} ms";
    public override int RtmpPort => basePort + 1;
    public override int HttpPort => basePort + 2;
    public override int RelayPort => basePort + 9;
    public override Uri Metrics => new($"http://127.0.0.1:{basePort + 3}/metrics");
    public override Uri Sessions => new($"http://127.0.0.1:{basePort + 3}/v1/sessions");

    public override string Configuration => $$"""
        rtmp:
          listen: ["127.0.0.1:{{RtmpPort}}"]
        http:
          listen: ["127.0.0.1:{{HttpPort}}"]
        api:
          listen: ["127.0.0.1:{{basePort + 3}}"]
        relay:
          listen: ["127.0.0.1:{{RelayPort}}"]
        merge:
          default: {{mergeMs}}ms
        limits:
          connections: 19000

        """ + more;

    public override string? ReadEffectiveConfiguration()
    {
        using var check = ChildProcess.Start(core: -1, Existing(), ["check-config", "--config", WriteFile(Folder), "--print"], keepOutput: true);
        string text = check.ReadOutput();
        return text.Length > 0 ? text.Replace(Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal) : throw new InvalidOperationException($"{program} does not accept its configuration:\n{check.Errors}");
    }

    protected override ChildProcess Launch(int core, string folder) => ChildProcess.Start(core, Existing(), ["run", "--config", WriteFile(folder)]);

    private string Existing() =>
        File.Exists(program) ? program : throw new InvalidOperationException($"{program} does not exist: build the server first (./dev build) or give --server");

    private string WriteFile(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file)) File.WriteAllText(file, Configuration);
        return file;
    }
}
