using System.Buffers.Binary;
using System.Text;

namespace Millrace.Media.Amf;

/// <summary>The type markers of AMF0 (amf0-file-format-specification 2.1).</summary>
internal static class Amf0Marker
{
    public const byte Number = 0x00;
    public const byte Boolean = 0x01;
    public const byte String = 0x02;
    public const byte Object = 0x03;
    public const byte Null = 0x05;
    public const byte Undefined = 0x06;
    public const byte Reference = 0x07;
    public const byte EcmaArray = 0x08;
    public const byte ObjectEnd = 0x09;
    public const byte StrictArray = 0x0A;
    public const byte Date = 0x0B;
    public const byte LongString = 0x0C;
    public const byte Unsupported = 0x0D;
    public const byte Xml = 0x0F;
    public const byte TypedObject = 0x10;
    public const byte Amf3 = 0x11;
}

/// <summary>
/// Reads AMF0 values, and AMF3 values behind the avmplus marker. Never throws on input: a method returns false on a malformed,
/// truncated or over-limit value (<see cref="AmfLimits"/>), after which the reader is not to be used.
/// </summary>
internal ref struct Amf0Reader(ReadOnlySpan<byte> input)
{
    private readonly ReadOnlySpan<byte> _input = input;
    private List<AmfValue>? _complex;
    private int _position;
    private int _budget = AmfLimits.MaxValues;

    /// <summary>Bytes read so far.</summary>
    public readonly int Consumed => _position;

    public readonly bool IsAtEnd => _position >= _input.Length;

    /// <summary>Reads any value.</summary>
    public bool TryRead(out AmfValue value) => TryRead(AmfLimits.MaxDepth, out value);

    /// <summary>Reads a value that must be a string, short or long.</summary>
    public bool TryReadString(out string value)
    {
        value = "";
        if (!TryByte(out var marker))
        {
            return false;
        }

        return marker switch
        {
            Amf0Marker.String => TryText(2, out value),
            Amf0Marker.LongString => TryText(4, out value),
            Amf0Marker.Amf3 => TryAmf3(AmfLimits.MaxDepth, out var inner) && inner.Kind == AmfKind.String && (value = inner.Text) is not null,
            _ => false,
        };
    }

    /// <summary>Reads a value that must be a number.</summary>
    public bool TryReadNumber(out double value)
    {
        var read = TryRead(0, out var any) && any.Kind == AmfKind.Number;
        value = any.Number;
        return read;
    }

    private bool TryRead(int depth, out AmfValue value)
    {
        value = AmfValue.Undefined;
        if (--_budget < 0 || !TryByte(out var marker))
        {
            return false;
        }

        switch (marker)
        {
            case Amf0Marker.Number:
                return TryDouble(out var number) && Some(AmfValue.OfNumber(number), out value);
            case Amf0Marker.Boolean:
                return TryByte(out var boolean) && Some(AmfValue.OfBoolean(boolean != 0), out value);
            case Amf0Marker.String:
                return TryText(2, out var text) && Some(AmfValue.OfString(text), out value);
            case Amf0Marker.LongString:
                return TryText(4, out var longText) && Some(AmfValue.OfString(longText), out value);
            case Amf0Marker.Xml:
                return TryText(4, out var xml) && Some(AmfValue.OfXml(xml), out value);
            case Amf0Marker.Null:
                return Some(AmfValue.Null, out value);
            case Amf0Marker.Undefined or Amf0Marker.Unsupported:
                return true;
            case Amf0Marker.Date:
                return TryDouble(out var millis) && TrySkip(2) && Some(AmfValue.OfDate(millis), out value);
            case Amf0Marker.Reference:
                return TryReference(out value);
            default:
                return depth > 0 && TryContainer(marker, depth - 1, out value);
        }
    }

    private bool TryContainer(byte marker, int depth, out AmfValue value)
    {
        value = AmfValue.Undefined;
        if (marker == Amf0Marker.Amf3)
        {
            return TryAmf3(depth, out value);
        }

        // References count complex values in the order they begin (2.9), so the place is taken before the members are read.
        _complex ??= [];
        var place = _complex.Count;
        _complex.Add(AmfValue.Undefined);

        var read = marker switch
        {
            Amf0Marker.Object => TryMembers(depth, -1, out var members) && Some(AmfValue.OfObject(members), out value),
            Amf0Marker.TypedObject => TryText(2, out var name) && TryMembers(depth, -1, out var typed) && Some(AmfValue.OfObject(typed, name), out value),
            Amf0Marker.EcmaArray => TryCount(out var count) && TryMembers(depth, count, out var entries) && Some(AmfValue.OfEcmaArray(entries), out value),
            Amf0Marker.StrictArray => TryItems(depth, out value),
            _ => false,
        };
        _complex[place] = value;
        return read;
    }

    /// <param name="announced">The count of an ECMA array; -1 for an object. Only a hint: some writers give 0.</param>
    private bool TryMembers(int depth, int announced, out List<AmfProperty> members)
    {
        members = [];
        while (true)
        {
            // Some encoders leave out the end marker of the last ECMA array of a body.
            if (IsAtEnd && announced > 0 && members.Count >= announced)
            {
                return true;
            }

            if (!TryText(2, out var name))
            {
                return false;
            }

            if (name.Length == 0 && !IsAtEnd && _input[_position] == Amf0Marker.ObjectEnd)
            {
                _position++;
                return true;
            }

            if (!TryRead(depth, out var value))
            {
                return false;
            }

            members.Add(new AmfProperty(name, value));
        }
    }

    private bool TryItems(int depth, out AmfValue value)
    {
        value = AmfValue.Undefined;
        if (!TryCount(out var count) || count < 0 || count > _input.Length - _position || count > _budget)
        {
            return false;
        }

        // No capacity from the wire: the list grows with what is really there.
        var items = new List<AmfValue>();
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(depth, out var item))
            {
                return false;
            }

            items.Add(item);
        }

        return Some(AmfValue.OfArray(items), out value);
    }

    private bool TryReference(out AmfValue value)
    {
        value = AmfValue.Undefined;
        if (_input.Length - _position < 2)
        {
            return false;
        }

        var index = BinaryPrimitives.ReadUInt16BigEndian(_input[_position..]);
        _position += 2;
        if (_complex is null || index >= _complex.Count)
        {
            return false;
        }

        // A reference to an unfinished ancestor stays undefined: trees only, so that nobody downstream can loop.
        value = _complex[index];
        _budget -= value.Weight;
        return _budget >= 0;
    }

    private bool TryAmf3(int depth, out AmfValue value)
    {
        var inner = new Amf3Reader(_input[_position..], depth, _budget);
        var read = inner.TryRead(out value);
        _position += inner.Consumed;
        _budget = inner.Budget;
        return read;
    }

    private bool TryText(int prefix, out string value)
    {
        value = "";
        if (_input.Length - _position < prefix)
        {
            return false;
        }

        var rest = _input[_position..];
        long length = prefix == 2 ? BinaryPrimitives.ReadUInt16BigEndian(rest) : BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (length > rest.Length - prefix)
        {
            return false;
        }

        value = Encoding.UTF8.GetString(rest.Slice(prefix, (int)length));
        _position += prefix + (int)length;
        return true;
    }

    private bool TryCount(out int count)
    {
        count = 0;
        if (_input.Length - _position < 4)
        {
            return false;
        }

        count = BinaryPrimitives.ReadInt32BigEndian(_input[_position..]);
        _position += 4;
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

    private bool TryByte(out byte value)
    {
        value = 0;
        if (IsAtEnd)
        {
            return false;
        }

        value = _input[_position++];
        return true;
    }

    private bool TrySkip(int count)
    {
        if (_input.Length - _position < count)
        {
            return false;
        }

        _position += count;
        return true;
    }

    private static bool Some(AmfValue value, out AmfValue result)
    {
        result = value;
        return true;
    }
}
