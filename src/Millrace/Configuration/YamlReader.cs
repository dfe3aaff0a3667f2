using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Millrace.Configuration;

/// <summary>
/// YAML to <see cref="ConfigNode"/>s with their lines. Reads the parser's events itself, so that a key that stands twice is
/// reported beside all other errors instead of ending the reading.
/// </summary>
internal sealed class YamlReader
{
    /// <summary>Nested lists and maps; settings need five. The reading is recursive, and a file of brackets must not end the process.</summary>
    private const int MaxDepth = 32;

    private readonly string _source;
    private readonly List<SettingsError> _errors;
    private readonly Dictionary<AnchorName, ConfigNode> _anchors = [];
    private int _depth;

    private YamlReader(string source, List<SettingsError> errors)
    {
        _source = source;
        _errors = errors;
    }

    /// <summary>Null when the file is empty or cannot be read; the errors then say why.</summary>
    public static MapNode? Read(string source, TextReader text, List<SettingsError> errors)
    {
        var reader = new YamlReader(source, errors);
        try
        {
            var parser = new Parser(text);
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return null;
            parser.Consume<DocumentStart>();
            var root = reader.ReadNode(parser, "");
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second))
                errors.Add(new SettingsError(reader.At(second.Start), "", "a second YAML document: only one is read"));
            if (root is MapNode map)
                return map;
            if (root is not ScalarNode { Text: null })
                errors.Add(new SettingsError(root.Origin, "", "the file must be a mapping: 'section:' with its settings below"));
        }
        catch (YamlException e)
        {
            errors.Add(new SettingsError(reader.At(e.Start), "", $"not valid YAML: {e.InnerException?.Message ?? e.Message}"));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // The library's scanner lets its own exceptions out on some damaged files, without a place.
            errors.Add(new SettingsError(new Origin(source, 0), "", "not valid YAML"));
        }

        return null;
    }

    private Origin At(Mark mark) => new(_source, (int)mark.Line);

    private ConfigNode ReadNode(Parser parser, string path)
    {
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            if (_anchors.TryGetValue(alias.Value, out var target))
                return target;
            throw new YamlException(alias.Start, alias.End, $"'*{alias.Value}' refers to nothing that stands before it");
        }

        if (!parser.Accept<NodeEvent>(out var start))
            throw new YamlException("a value is missing");
        if (++_depth > MaxDepth)
            throw new YamlException(start.Start, start.End, $"more than {MaxDepth} lists and maps inside each other");
        ConfigNode node = start switch
        {
            Scalar => ReadScalar(parser.Consume<Scalar>()),
            SequenceStart => ReadList(parser, path),
            _ => ReadMap(parser, path),
        };
        _depth--;
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor] = node;
        return node;
    }

    private ScalarNode ReadScalar(Scalar scalar)
    {
        // YAML 1.2 core schema, 10.3.2: a plain scalar of these forms is null.
        var isNull = scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null";
        return new ScalarNode(isNull ? null : scalar.Value, At(scalar.Start));
    }

    private ListNode ReadList(Parser parser, string path)
    {
        var origin = At(parser.Consume<SequenceStart>().Start);
        var items = new List<ConfigNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
            items.Add(ReadNode(parser, FormattableString.Invariant($"{path}[{items.Count}]")));
        return new ListNode(items, origin);
    }

    private MapNode ReadMap(Parser parser, string path)
    {
        var origin = At(parser.Consume<MappingStart>().Start);
        var entries = new List<MapEntry>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
            {
                var mark = parser.Current?.Start ?? Mark.Empty;
                throw new YamlException(mark, mark, "a key must be a plain word");
            }

            var keyOrigin = At(key.Start);
            var own = SettingsSchema.Join(path, key.Value);
            var value = ReadNode(parser, own);
            var first = entries.FindIndex(e => e.Key == key.Value);
            if (first < 0)
                entries.Add(new MapEntry(key.Value, keyOrigin, value));
            else
                _errors.Add(new SettingsError(keyOrigin, own, $"is there twice, first in line {entries[first].KeyOrigin.Line}"));
        }

        return new MapNode(entries, origin);
    }
}
