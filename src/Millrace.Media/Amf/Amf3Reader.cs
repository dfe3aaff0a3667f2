using System.Buffers.Binary;
using System.Text;

namespace Millrace.Media.Amf;

/// <summary>
/// Reads one AMF3 value with its own reference tables (amf-file-format-spec, AMF 3). Vectors, dictionaries and externalizable
/// classes other than ArrayCollection are refused. Never throws on input.
/// </summary>
internal ref struct Amf3Reader(ReadOnlySpan<byte> input, int depth = AmfLimits.MaxDepth, int budget = AmfLimits.MaxValues)
{
    private readonly ReadOnlySpan<byte> _input = input;
    private readonly List<string> _strings = [];
    private readonly List<AmfValue> _objects = [];
    private readonly List<Traits> _traits = [];
    private readonly int _depth = depth;
    private int _position;

    public readonly int Consumed => _position;

    /// <summary>Values still allowed (<see cref="AmfLimits.MaxValues"/>).</summary>
    public int Budget { get; private set; } = budget;

    public bool TryRead(out AmfValue value) => TryRead(_depth, out value);

    private bool TryRead(int depth, out AmfValue value)
    {
        value = AmfValue.Undefined;
        if (--Budget < 0 || _position >= _input.Length)
        {
            return false;
        }

        switch (_input[_position++])
        {
            case 0x00:
                return true;
            case 0x01:
                value = AmfValue.Null;
                return true;
            case 0x02:
                value = AmfValue.False;
                return true;
            case 0x03:
                value = AmfValue.True;
                return true;
            case 0x04:
                return TryInteger(out value);
            case 0x05:
                return TryDouble(out var number) && Some(AmfValue.OfNumber(number), out value);
            case 0x06:
                return TryString(out var text) && Some(AmfValue.OfString(text), out value);
            case 0x07 or 0x0B:
                return TryXml(out value);
            case 0x08:
                return TryDate(out value);
            case 0x0C:
                return TryBytes(out value);
            case 0x09:
                return depth > 0 && TryArray(depth - 1, out value);
            case 0x0A:
                return depth > 0 && TryObject(depth - 1, out value);
            default:
                return false;
        }
    }

    private bool TryInteger(out AmfValue value)
    {
        value = AmfValue.Undefined;
        if (!TryU29(out var raw))
        {
            return false;
        }

        // 29 bits, two's complement (3.6).
        var signed = (int)(raw << 3) >> 3;
        return Some(AmfValue.OfNumber(signed), out value);
    }

    private bool TryArray(int depth, out AmfValue value)
    {
        if (!TryObjectHeader(out var count, out var known, out value))
        {
            return false;
        }

        if (known)
        {
            return true;
        }

        var place = Reserve();
        List<AmfProperty>? members = null;
        while (true)
        {
            if (!TryString(out var name))
            {
                return false;
            }

            if (name.Length == 0)
            {
                break;
            }

            if (!TryRead(depth, out var member))
            {
                return false;
            }

            (members ??= []).Add(new AmfProperty(name, member));
        }

        if (count > _input.Length - _position || count > Budget)
        {
            return false;
        }

        var items = new List<AmfValue>();
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(depth, out var item))
            {
                return false;
            }

            items.Add(item);
        }

        value = members is null ? AmfValue.OfArray(items) : AmfValue.OfEcmaArray(members, items);
        _objects[place] = value;
        return true;
    }

    private bool TryObject(int depth, out AmfValue value)
    {
        if (!TryObjectHeader(out var header, out var known, out value))
        {
            return false;
        }

        if (known)
        {
            return true;
        }

        var place = Reserve();
        if (!TryTraits(header, out var traits))
        {
            return false;
        }

        if (traits.IsExternal)
        {
            // The one externalizable class that Flex clients send in commands; its body is one value.
            return string.Equals(traits.ClassName, "flex.messaging.io.ArrayCollection", StringComparison.Ordinal) && TryRead(depth, out value);
        }

        var members = new List<AmfProperty>();
        foreach (var name in traits.Names)
        {
            if (!TryRead(depth, out var member))
            {
                return false;
            }

            members.Add(new AmfProperty(name, member));
        }

        if (traits.IsDynamic && !TryDynamicMembers(depth, members))
        {
            return false;
        }

        value = AmfValue.OfObject(members, traits.ClassName);
        _objects[place] = value;
        return true;
    }

    private bool TryDynamicMembers(int depth, List<AmfProperty> members)
    {
        while (TryString(out var name))
        {
            if (name.Length == 0)
            {
                return true;
            }

            if (!TryRead(depth, out var member))
            {
                return false;
            }

            members.Add(new AmfProperty(name, member));
        }

        return false;
    }

    /// <param name="header">The U29 behind the object marker with its lowest bit (not a reference) already removed.</param>
    private bool TryTraits(uint header, out Traits traits)
    {
        traits = default!;
        if ((header & 1) == 0)
        {
            var index = (int)(header >> 1);
            if (index >= _traits.Count)
            {
                return false;
            }

            traits = _traits[index];
            return true;
        }

        var count = header >> 3;
        if (count > _input.Length - _position || count > Budget || !TryString(out var className))
        {
            return false;
        }

        var names = new List<string>();
        for (var i = 0; i < count; i++)
        {
            if (--Budget < 0 || !TryString(out var name))
            {
                return false;
            }

            names.Add(name);
        }

        traits = new Traits(className, names, (header & 2) != 0, (header & 4) != 0);
        _traits.Add(traits);
        return true;
    }

    /// <summary>Reads the U29 that is a reference (then <paramref name="known"/>) or, without its lowest bit, a length.</summary>
    private bool TryObjectHeader(out uint rest, out bool known, out AmfValue value)
    {
        value = AmfValue.Undefined;
        known = false;
        if (!TryU29(out rest))
        {
            return false;
        }

        known = (rest & 1) == 0;
        rest >>= 1;
        if (!known)
        {
            return true;
        }

        if (rest >= _objects.Count)
        {
            return false;
        }

        value = _objects[(int)rest];
        Budget -= value.Weight;
        return Budget >= 0;
    }

    private readonly int Reserve()
    {
        // Unfinished objects read as undefined when an inner value refers to them: trees only.
        _objects.Add(AmfValue.Undefined);
        return _objects.Count - 1;
    }

    private bool TryXml(out AmfValue value)
    {
        if (!TryObjectHeader(out var length, out var known, out value) || known)
        {
            return known;
        }

        return TryUtf8(length, out var text) && Keep(AmfValue.OfXml(text), out value);
    }

    private bool TryBytes(out AmfValue value)
    {
        if (!TryObjectHeader(out var length, out var known, out value) || known)
        {
            return known;
        }

        if (length > _input.Length - _position)
        {
            return false;
        }

        var bytes = _input.Slice(_position, (int)length).ToArray();
        _position += (int)length;
        return Keep(AmfValue.OfBytes(bytes), out value);
    }

    private bool TryDate(out AmfValue value)
    {
        if (!TryObjectHeader(out _, out var known, out value) || known)
        {
            return known;
        }

        return TryDouble(out var millis) && Keep(AmfValue.OfDate(millis), out value);
    }

    private bool TryString(out string value)
    {
        value = "";
        if (!TryU29(out var header))
        {
            return false;
        }

        var rest = header >> 1;
        if ((header & 1) == 0)
        {
            if (rest >= _strings.Count)
            {
                return false;
            }

            value = _strings[(int)rest];
            return true;
        }

        if (!TryUtf8(rest, out value))
        {
            return false;
        }

        if (value.Length > 0)
        {
            _strings.Add(value);
        }

        return true;
    }

    private bool TryUtf8(uint length, out string value)
    {
        value = "";
        if (length > _input.Length - _position)
        {
            return false;
        }

        value = Encoding.UTF8.GetString(_input.Slice(_position, (int)length));
        _position += (int)length;
        return true;
    }

    /// <summary>Variable-length unsigned 29-bit integer (1.3.1): three 7-bit bytes, then one of 8 bits.</summary>
    private bool TryU29(out uint value)
    {
        value = 0;
        for (var i = 0; i < 4; i++)
        {
            if (_position >= _input.Length)
            {
                return false;
            }

            uint next = _input[_position++];
            if (i == 3)
            {
                value = (value << 8) | next;
                return true;
            }

            value = (value << 7) | (next & 0x7F);
            if ((next & 0x80) == 0)
            {
                return true;
            }
        }

        return true;
    }

    private bool TryDouble(out double value)
    {
        value = 0;
        if (_input.Length - _position < 8)
        {
            return false;
        }

        value = BinaryPrimitives.ReadDoubleBigEndian(_input[_position..]);
        _position += 8;
        return true;
    }

    private readonly bool Keep(AmfValue value, out AmfValue result)
    {
        _objects.Add(value);
        return Some(value, out result);
    }

    private static bool Some(AmfValue value, out AmfValue result)
    {
        result = value;
        return true;
    }

    private sealed record Traits(string ClassName, List<string> Names, bool IsExternal, bool IsDynamic);
}
