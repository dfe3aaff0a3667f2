using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Millrace.Media.Amf;

/// <summary>Writes AMF0 values; the caller keeps objects balanced (<see cref="StartObject"/> … <see cref="EndObject"/>).</summary>
internal readonly struct Amf0Writer(IBufferWriter<byte> output)
{
    private readonly IBufferWriter<byte> _output = output;

    public void Number(double value)
    {
        var span = _output.GetSpan(9);
        span[0] = Amf0Marker.Number;
        BinaryPrimitives.WriteDoubleBigEndian(span[1..], value);
        _output.Advance(9);
    }

    public void Boolean(bool value)
    {
        var span = _output.GetSpan(2);
        span[0] = Amf0Marker.Boolean;
        span[1] = value ? (byte)1 : (byte)0;
        _output.Advance(2);
    }

    /// <summary>A string; one of more than 65,535 bytes becomes a long string.</summary>
    public void String(ReadOnlySpan<char> value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        if (length <= ushort.MaxValue)
        {
            Marker(Amf0Marker.String);
            Name(value);
            return;
        }

        LongText(Amf0Marker.LongString, value, length);
    }

    public void Null() => Marker(Amf0Marker.Null);

    public void Undefined() => Marker(Amf0Marker.Undefined);

    /// <param name="unixMillis">Milliseconds since the Unix epoch, UTC; the time zone is written as 0 (2.13).</param>
    public void Date(double unixMillis)
    {
        var span = _output.GetSpan(11);
        span[0] = Amf0Marker.Date;
        BinaryPrimitives.WriteDoubleBigEndian(span[1..], unixMillis);
        span[9] = span[10] = 0;
        _output.Advance(11);
    }

    public void StartObject() => Marker(Amf0Marker.Object);

    public void StartEcmaArray(int count) => Counted(Amf0Marker.EcmaArray, count);

    /// <summary>Is followed by <paramref name="count"/> values and no end marker.</summary>
    public void StartStrictArray(int count) => Counted(Amf0Marker.StrictArray, count);

    /// <summary>Ends an object or an ECMA array.</summary>
    public void EndObject()
    {
        var span = _output.GetSpan(3);
        span[0] = span[1] = 0;
        span[2] = Amf0Marker.ObjectEnd;
        _output.Advance(3);
    }

    /// <summary>A member's name, without marker; at most 65,535 bytes of UTF-8, the rest is cut off.</summary>
    public void Name(ReadOnlySpan<char> name)
    {
        var length = Encoding.UTF8.GetByteCount(name);
        while (length > ushort.MaxValue)
        {
            name = name[..(name.Length - Math.Max(1, (length - ushort.MaxValue) / 4))];
            length = Encoding.UTF8.GetByteCount(name);
        }

        var span = _output.GetSpan(2 + length);
        BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)length);
        Encoding.UTF8.GetBytes(name, span[2..]);
        _output.Advance(2 + length);
    }

    public void Member(string name, string value)
    {
        Name(name);
        String(value);
    }

    public void Member(string name, double value)
    {
        Name(name);
        Number(value);
    }

    public void Member(string name, bool value)
    {
        Name(name);
        Boolean(value);
    }

    /// <summary>A whole tree. What AMF0 cannot say (byte arrays) becomes undefined.</summary>
    public void Value(AmfValue value)
    {
        switch (value.Kind)
        {
            case AmfKind.Null:
                Null();
                break;
            case AmfKind.Boolean:
                Boolean(value.IsTrue);
                break;
            case AmfKind.Number:
                Number(value.Number);
                break;
            case AmfKind.Date:
                Date(value.Number);
                break;
            case AmfKind.String:
                String(value.Text);
                break;
            case AmfKind.Xml:
                LongText(Amf0Marker.Xml, value.Text, Encoding.UTF8.GetByteCount(value.Text));
                break;
            case AmfKind.Object or AmfKind.EcmaArray:
                Members(value);
                break;
            case AmfKind.StrictArray:
                StartStrictArray(value.Items.Count);
                foreach (var item in value.Items)
                {
                    Value(item);
                }

                break;
            default:
                Undefined();
                break;
        }
    }

    private void Members(AmfValue value)
    {
        if (value.Kind == AmfKind.EcmaArray)
        {
            StartEcmaArray(value.Properties.Count + value.Items.Count);
        }
        else if (value.Text.Length > 0)
        {
            Marker(Amf0Marker.TypedObject);
            Name(value.Text);
        }
        else
        {
            StartObject();
        }

        for (var i = 0; i < value.Items.Count; i++)
        {
            Name(i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Value(value.Items[i]);
        }

        foreach (var (name, member) in value.Properties)
        {
            Name(name);
            Value(member);
        }

        EndObject();
    }

    private void LongText(byte marker, ReadOnlySpan<char> value, int length)
    {
        var span = _output.GetSpan(5 + length);
        span[0] = marker;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], length);
        Encoding.UTF8.GetBytes(value, span[5..]);
        _output.Advance(5 + length);
    }

    private void Counted(byte marker, int count)
    {
        var span = _output.GetSpan(5);
        span[0] = marker;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], count);
        _output.Advance(5);
    }

    private void Marker(byte marker)
    {
        _output.GetSpan(1)[0] = marker;
        _output.Advance(1);
    }
}
