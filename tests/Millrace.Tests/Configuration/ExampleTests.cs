using System.Text.RegularExpressions;
using Millrace.Configuration;
using Millrace.Node.Settings;

namespace Millrace.Tests.Configuration;

public sealed class ExampleTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "millrace.example.yml"));

    [Fact]
    public void The_example_is_valid_and_equals_the_defaults() =>
        SettingsWriter.Write(Loading.Load(Text).Valid()).ShouldBe(SettingsWriter.Write(new NodeSettings()));

    [Fact]
    public void The_example_has_every_setting_and_explains_each()
    {
        var paths = PathsIn(Text).ToHashSet();
        SettingsSchema.AllPaths.Where(p => !paths.Contains(p)).ShouldBeEmpty();
        paths.Where(p => !SettingsSchema.AllPaths.Contains(p)).ShouldBeEmpty();
    }

    [Fact]
    public void The_commented_examples_are_valid_too()
    {
        // "streams: []" with its example uncommented, as a reader would do it.
        var yaml = Regex.Replace(Text, @"(?<=^\s+\w+:) \[\](?=\s+#.*:$)", "", RegexOptions.Multiline);
        yaml = Regex.Replace(yaml, @"(?<=^ +)# (?=(?:- |  )+\w+:)", "", RegexOptions.Multiline);
        var settings = Loading.Load(yaml).Valid();
        settings.Merge.Streams.ShouldHaveSingleItem().Match.ShouldBe("default/live/*");
        settings.Vhosts.ShouldHaveSingleItem().Apps.ShouldHaveSingleItem().Publish.Token!.Value.Value.ShouldBe("secret");
    }

    [Fact]
    public void What_is_printed_loads_again_to_the_same()
    {
        const string yaml = """
            publish: {token: geheim}
            merge: {streams: [{match: "a/b/*", window: 5ms}, {match: "*", window: 1s}]}
            vhosts: [{name: a.example, aliases: [b.example], access: {play: token, play_tokens: [geheim, auch-geheim]}, apps: [{name: x, merge: 0}, {name: y}]}]
            """;
        var printed = SettingsWriter.Write(Loading.Load(yaml).Valid());
        printed.ShouldNotContain("geheim");
        SettingsWriter.Write(Loading.Load(printed).Valid()).ShouldBe(printed);
    }

    /// <summary>The keys of a block-style file, those of commented examples included, as <c>vhosts[].name</c>.</summary>
    private static IEnumerable<string> PathsIn(string yaml)
    {
        var stack = new Stack<(int Indent, string Path)>();
        foreach (var line in yaml.Split('\n'))
        {
            var match = Regex.Match(line, @"^(?<prefix> *(?:# +)?)(?<dash>- )?(?<key>[a-z_]+):(?: |$)");
            if (!match.Success || (line.StartsWith('#') && stack.Count == 0))
                continue;

            // A commented example hangs below the list it belongs to: "# - name" counts as "- name" two columns on the left.
            var prefix = match.Groups["prefix"].Value;
            var indent = prefix.Length + match.Groups["dash"].Length - (prefix.Contains('#') ? 1 : 0);
            while (stack.Count > 0 && stack.Peek().Indent >= indent)
                stack.Pop();
            var parent = stack.Count > 0 ? stack.Peek().Path : "";
            var path = SettingsSchema.Join(parent, match.Groups["key"].Value);
            yield return path;
            var isList = SettingsSchema.AllPaths.Any(p => p.StartsWith($"{path}[].", StringComparison.Ordinal));
            stack.Push((indent, isList ? $"{path}[]" : path));
        }
    }
}
