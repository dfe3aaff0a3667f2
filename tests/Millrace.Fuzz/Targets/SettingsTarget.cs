using System.Text;
using Millrace.Configuration;

namespace Millrace.Fuzz.Targets;

/// <summary>A configuration file: wrong ones give errors, never exceptions.</summary>
internal sealed class SettingsTarget : FuzzTarget
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"millrace-fuzz-{Environment.ProcessId}.yml");

    public SettingsTarget()
        : base("settings")
    {
        var example = File.ReadAllText(Path.Combine(Corpus.Root, "millrace.example.yml"));
        // Without comments: a change should hit a setting.
        var lines = example.Split('\n').Select(line => line.Split('#')[0].TrimEnd()).Where(line => line.Length > 0);
        Seeds = [Of(string.Join('\n', lines)), Of("a: &x [1, 2]\nb: *x\nrtmp: {listen: [':1', 2], timeout: 5s}\n"), Of("- [[{a: b}]]\n"), Of("---\nlog: !!str x\n...\n---\n")];
    }

    public override IReadOnlyList<Seed> Seeds { get; }

    public override int MaxLength => 8 * 1024;

    public override long AllocatedBase => 4 << 20;

    // YamlDotNet's own: marks, tokens, simple keys.
    public override long AllocatedPerByte => 16 * 1024;

    public override void Run(byte[] input, Random random)
    {
        File.WriteAllBytes(_path, input);
        try
        {
            var loaded = SettingsLoader.Load(new SettingsSources(_path, null, new Dictionary<string, string>()));
            foreach (var error in loaded.Errors)
                _ = error.ToString();
        }
        finally
        {
            File.Delete(_path);
        }
    }

    private static Seed Of(string text) => new(Encoding.UTF8.GetBytes(text));
}
