using System.Globalization;

namespace Millrace.Conformance.Rules;

/// <summary>Public for the tests, whose cases name it.</summary>
public enum Verdict
{
    NotSeen,
    Pass,
    Fail,
}

/// <summary>What a rule found. Only the first violation is kept in words.</summary>
internal sealed class Findings
{
    private readonly SortedDictionary<string, (double Value, string Unit)> _largest = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];

    public int Checked { get; private set; }

    public int Violations { get; private set; }

    public string? First { get; private set; }

    public Verdict Verdict => Violations > 0 ? Verdict.Fail : Checked > 0 ? Verdict.Pass : Verdict.NotSeen;

    /// <summary>Counts a case; the evidence of the first violation is kept.</summary>
    public void Check(bool holds, Func<string> evidence)
    {
        Checked++;
        if (holds)
            return;
        Violations++;
        First ??= evidence();
    }

    /// <summary>The largest of the values measured under this name.</summary>
    public void Largest(string name, double value, string unit)
    {
        if (!_largest.TryGetValue(name, out var old) || value > old.Value)
            _largest[name] = (value, unit);
    }

    /// <summary>Something to know that is no violation.</summary>
    public void Note(string text)
    {
        if (!_notes.Contains(text, StringComparer.Ordinal) && _notes.Count < 5)
            _notes.Add(text);
    }

    /// <summary>Counts, measurements and the first violation.</summary>
    public string Evidence()
    {
        var words = new List<string> { Violations > 0 ? $"{Violations} of {Checked} violate it" : $"{Checked} checked" };
        words.AddRange(_largest.Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Key} at most {l.Value.Value:0.###} {l.Value.Unit}")));
        words.AddRange(_notes);
        var text = string.Join("; ", words);
        return First is null ? text : $"{text}; first: {First}";
    }
}
