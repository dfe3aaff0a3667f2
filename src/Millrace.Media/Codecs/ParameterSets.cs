using System.Diagnostics.CodeAnalysis;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>
/// Turns parameter sets that a sender puts into the stream into Configs: in the log they are not in-band, and a changed set
/// is a new Config.
/// </summary>
public static class ParameterSets
{
    /// <summary>Sets of one Config, of all kinds together. Real streams have 2 to 6.</summary>
    public const int MaxSets = 64;

    /// <summary>
    /// Compares the sets of an access unit with those of <paramref name="current"/>. True when they make a Config that differs from it
    /// (or the first one, when <paramref name="current"/> is null and the unit has all that is needed): the caller announces
    /// <paramref name="changed"/>. False with <paramref name="error"/> null when nothing changed; this path allocates nothing,
    /// since many encoders repeat their sets at each key frame.
    /// </summary>
    /// <param name="codec">H264 or Hevc.</param>
    /// <param name="current">The track's Config, if there is one.</param>
    /// <param name="accessUnit">Length-prefixed NAL units.</param>
    /// <param name="lengthSize">Bytes of the length prefixes.</param>
    /// <param name="changed">The new Config.</param>
    /// <param name="error">Why the sets are of no use.</param>
    public static bool TryUpdate(
        Codec codec, Config? current, ReadOnlySpan<byte> accessUnit, int lengthSize,
        [NotNullWhen(true)] out Config? changed, out string? error)
    {
        changed = null;
        error = null;
        ReadOnlySpan<byte> record = current is null ? default : current.InitData.Span;
        if (!HasNews(codec, record, accessUnit, lengthSize))
            return false;

        var sets = new List<byte[]>();
        var known = new ParameterSetReader(codec, record);
        while (known.TryRead(out ReadOnlySpan<byte> set))
            Replace(codec, sets, set);
        var reader = new NalReader(accessUnit, lengthSize);
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            if (NalUnits.IsParameterSet(codec, nal))
                Replace(codec, sets, nal);
        }

        if (!TryBuild(codec, sets, lengthSize, out Config? built, out error) || built.Equals(current))
            return false;
        changed = built;
        return true;
    }

    /// <summary>Makes avcC or hvcC of the sets, and the Config of that.</summary>
    internal static bool TryBuild(
        Codec codec, List<byte[]> sets, int lengthSize,
        [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (sets.Count > MaxSets)
        {
            error = $"more than {MaxSets} parameter sets";
            return false;
        }

        foreach (byte[] set in sets)
        {
            if (set.Length is 0 or > ushort.MaxValue)
            {
                error = "a parameter set is empty or longer than 65,535 bytes";
                return false;
            }
        }

        return codec == Codec.Hevc
            ? HevcRecord.TryWrite(sets, lengthSize, out byte[]? record, out error) && Hevc.TryParseConfig(record, out config, out error)
            : H264Record.TryWrite(sets, lengthSize, out record, out error) && H264.TryParseConfig(record, out config, out error);
    }

    private static bool HasNews(Codec codec, ReadOnlySpan<byte> record, ReadOnlySpan<byte> accessUnit, int lengthSize)
    {
        var reader = new NalReader(accessUnit, lengthSize);
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            if (NalUnits.IsParameterSet(codec, nal) && !Contains(codec, record, nal))
                return true;
        }

        return false;
    }

    private static bool Contains(Codec codec, ReadOnlySpan<byte> record, ReadOnlySpan<byte> nal)
    {
        var known = new ParameterSetReader(codec, record);
        while (known.TryRead(out ReadOnlySpan<byte> set))
        {
            if (set.SequenceEqual(nal))
                return true;
        }

        return false;
    }

    /// <summary>A set replaces the one of its kind and id (H.264 7.4.1.2.1, H.265 7.4.2.4.2).</summary>
    private static void Replace(Codec codec, List<byte[]> sets, ReadOnlySpan<byte> nal)
    {
        uint key = KeyOf(codec, nal);
        for (int i = 0; i < sets.Count; i++)
        {
            if (KeyOf(codec, sets[i]) == key)
            {
                sets[i] = nal.ToArray();
                return;
            }
        }

        // One beyond the limit is kept, so that TryBuild sees and reports it.
        if (sets.Count <= MaxSets)
            sets.Add(nal.ToArray());
    }

    /// <summary>NAL type and id of a parameter set; sets of equal key replace each other.</summary>
    private static uint KeyOf(Codec codec, ReadOnlySpan<byte> nal)
    {
        var bits = new BitReader(nal, isNal: true);
        if (codec == Codec.Hevc)
        {
            HevcNal type = Hevc.TypeOf(nal[0]);
            bits.SkipBits(16);
            uint id = type switch
            {
                HevcNal.Vps => bits.ReadBits(4),
                HevcNal.Sps => HevcSps.ReadId(ref bits),
                _ => bits.ReadUe(),
            };
            return ((uint)type << 24) | (id & 0xFFFFFF);
        }

        H264Nal kind = H264.TypeOf(nal[0]);
        bits.SkipBits(kind == H264Nal.Pps ? 8 : 32);
        return ((uint)kind << 24) | (bits.ReadUe() & 0xFFFFFF);
    }
}

/// <summary>Walks the NAL units of an avcC or hvcC.</summary>
internal ref struct ParameterSetReader
{
    private readonly bool _isHevc;
    private ByteReader _bytes;
    private int _groups;
    private int _units;

    /// <param name="codec">H264 or Hevc.</param>
    /// <param name="record">The record; empty is a record without sets.</param>
    public ParameterSetReader(Codec codec, ReadOnlySpan<byte> record)
    {
        _isHevc = codec == Codec.Hevc;
        int header = _isHevc ? HevcRecord.HeaderLength : H264Record.HeaderLength;
        IsMalformed = record.Length < header && !record.IsEmpty;
        if (record.Length < header)
            return;
        _bytes = new ByteReader(record[header..]);
        // avcC: SPS, then PPS (5.3.3.1.2); hvcC: a counted list of arrays, one per kind (8.3.3.1.2).
        _groups = _isHevc ? record[HevcRecord.HeaderLength - 1] : 2;
    }

    /// <summary>The record ends inside a field.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>What follows the last unit, once TryRead has returned false.</summary>
    public readonly ReadOnlySpan<byte> Rest => _bytes.Rest;

    public bool TryRead(out ReadOnlySpan<byte> nal)
    {
        nal = default;
        while (!IsMalformed)
        {
            if (_units > 0)
            {
                _units--;
                IsMalformed = !_bytes.TryReadNal16(out nal);
                if (IsMalformed || nal.Length > 0)
                    return !IsMalformed;
            }
            else if (_groups-- > 0)
            {
                IsMalformed = !TryReadGroup();
            }
            else
            {
                _groups = 0;
                return false;
            }
        }

        return false;
    }

    private bool TryReadGroup()
    {
        if (_isHevc)
            return _bytes.TryReadByte(out _) && _bytes.TryReadUInt16(out _units);
        bool read = _bytes.TryReadByte(out byte count);
        // The three bits above the number of SPS are reserved; the number of PPS has all eight.
        _units = _groups == 1 ? count & 0x1F : count;
        return read;
    }
}
