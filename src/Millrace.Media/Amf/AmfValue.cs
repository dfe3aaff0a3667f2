namespace Millrace.Media.Amf;

/// <summary>What an <see cref="AmfValue"/> holds; AMF0 and AMF3 map to the same kinds.</summary>
internal enum AmfKind : byte
{
    Undefined,
    Null,
    Boolean,
    Number,
    String,

    /// <summary>Anonymous or typed object; a typed one keeps its class name in <see cref="AmfValue.Text"/>.</summary>
    Object,

    /// <summary>AMF0 ECMA array, or an AMF3 array that has an associative part.</summary>
    EcmaArray,
    StrictArray,

    /// <summary>Milliseconds since the Unix epoch, UTC, in <see cref="AmfValue.Number"/>.</summary>
    Date,
    Xml,

    /// <summary>AMF3 only.</summary>
    ByteArray,
}

/// <summary>A named member of an object or ECMA array, in the order of the wire.</summary>
internal readonly record struct AmfProperty(string Name, AmfValue Value);

/// <summary>One decoded AMF value: an immutable tree. For commands and metadata, never for media.</summary>
internal sealed class AmfValue
{
    public static readonly AmfValue Undefined = new(AmfKind.Undefined);
    public static readonly AmfValue Null = new(AmfKind.Null);
    public static readonly AmfValue True = new(AmfKind.Boolean) { Number = 1 };
    public static readonly AmfValue False = new(AmfKind.Boolean);

    private AmfValue(AmfKind kind) => Kind = kind;

    public AmfKind Kind { get; }

    /// <summary>The number; 1 or 0 for a boolean; milliseconds for a date; otherwise 0.</summary>
    public double Number { get; private init; }

    /// <summary>String or XML text; the class name of a typed object; otherwise empty.</summary>
    public string Text { get; private init; } = "";

    public ReadOnlyMemory<byte> Bytes { get; private init; }

    /// <summary>Members of an object or ECMA array; otherwise empty.</summary>
    public IReadOnlyList<AmfProperty> Properties { get; private init; } = [];

    /// <summary>Elements of a strict array (or the dense part of an AMF3 array); otherwise empty.</summary>
    public IReadOnlyList<AmfValue> Items { get; private init; } = [];

    public bool IsObjectLike => Kind is AmfKind.Object or AmfKind.EcmaArray;

    public bool IsNothing => Kind is AmfKind.Null or AmfKind.Undefined;

    public bool IsTrue => Kind is AmfKind.Boolean or AmfKind.Number && Number != 0;

    /// <summary>Values in the tree, itself included: what a reference to it costs a reader's budget.</summary>
    internal int Weight { get; private init; } = 1;

    /// <summary>The last member of that name (Flash keeps the last), or null.</summary>
    public AmfValue? this[string name]
    {
        get
        {
            for (var i = Properties.Count - 1; i >= 0; i--)
            {
                if (string.Equals(Properties[i].Name, name, StringComparison.Ordinal))
                {
                    return Properties[i].Value;
                }
            }

            return null;
        }
    }

    public static AmfValue OfBoolean(bool value) => value ? True : False;

    public static AmfValue OfNumber(double value) => new(AmfKind.Number) { Number = value };

    public static AmfValue OfString(string value) => new(AmfKind.String) { Text = value };

    public static AmfValue OfXml(string value) => new(AmfKind.Xml) { Text = value };

    public static AmfValue OfDate(double unixMillis) => new(AmfKind.Date) { Number = unixMillis };

    public static AmfValue OfBytes(ReadOnlyMemory<byte> value) => new(AmfKind.ByteArray) { Bytes = value };

    public static AmfValue OfObject(IReadOnlyList<AmfProperty> members, string className = "") =>
        new(AmfKind.Object) { Properties = members, Text = className, Weight = WeightOf(members, []) };

    public static AmfValue OfEcmaArray(IReadOnlyList<AmfProperty> members, IReadOnlyList<AmfValue>? dense = null) =>
        new(AmfKind.EcmaArray) { Properties = members, Items = dense ?? [], Weight = WeightOf(members, dense ?? []) };

    public static AmfValue OfArray(IReadOnlyList<AmfValue> items) =>
        new(AmfKind.StrictArray) { Items = items, Weight = WeightOf([], items) };

    /// <summary>The member's text, or null when it is missing or no string.</summary>
    public string? GetString(string name) => this[name] is { Kind: AmfKind.String } value ? value.Text : null;

    /// <summary>The member's number, or null when it is missing or no number.</summary>
    public double? GetNumber(string name) => this[name] is { Kind: AmfKind.Number } value ? value.Number : null;

    public override string ToString() => Kind switch
    {
        AmfKind.Number or AmfKind.Date => Number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        AmfKind.Boolean => IsTrue ? "true" : "false",
        AmfKind.String or AmfKind.Xml => Text,
        _ => Kind.ToString(),
    };

    private static int WeightOf(IReadOnlyList<AmfProperty> members, IReadOnlyList<AmfValue> items)
    {
        var weight = 1L;
        foreach (var member in members)
        {
            weight += member.Value.Weight;
        }

        foreach (var item in items)
        {
            weight += item.Weight;
        }

        return (int)Math.Min(weight, int.MaxValue);
    }
}
