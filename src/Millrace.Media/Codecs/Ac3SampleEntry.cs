using System.Runtime.InteropServices;

namespace Millrace.Media.Codecs;

/// <summary>The bodies of dac3 and dec3 (ETSI TS 102 366 F.4, F.6), which MP4 wants beside frames that describe themselves.</summary>
internal static class Ac3SampleEntry
{
    private const int MaxSubstreams = 8;

    /// <summary>fscod 2, bsid 5, bsmod 3, acmod 3, lfeon 1, bit_rate_code 5, reserved 5 bits.</summary>
    public static byte[] BuildDac3(in Ac3SyncFrame frame)
    {
        int bits = (frame.RateCode << 22) | (frame.BitstreamId << 17) | (frame.ServiceMode << 14)
            | (frame.ChannelMode << 11) | (frame.HasLfe ? 1 << 10 : 0) | (frame.BitRateCode << 5);
        return [(byte)(bits >> 16), (byte)(bits >> 8), (byte)bits];
    }

    /// <summary>
    /// data_rate 13 bits (kbit/s of all substreams), num_ind_sub 3 bits (less 1), and for each independent substream its
    /// parameters with the number and the channels of those that depend on it.
    /// </summary>
    /// <param name="accessUnit">Begins with the main programme.</param>
    /// <param name="samples">Those of the main programme in the access unit; positive.</param>
    public static byte[] BuildDec3(ReadOnlySpan<byte> accessUnit, int samples)
    {
        Span<Substream> substreams = stackalloc Substream[MaxSubstreams];
        substreams.Clear();
        int last = 0, current = 0, rate = 0;
        long bytes = 0;
        while (Ac3SyncFrame.TryParse(accessUnit, out Ac3SyncFrame frame) && frame.IsEnhanced)
        {
            bytes += frame.Length;
            if (frame.IsDependent)
            {
                substreams[current].Dependents |= 1 << frame.Substream;
                substreams[current].Channels |= LocationsOf(frame.ChannelMap);
            }
            else
            {
                current = frame.Substream;
                last = Math.Max(last, current);
                substreams[current].Frame = frame;
                rate = current == 0 ? frame.SampleRate : rate;
            }

            accessUnit = accessUnit[Math.Min(frame.Length, accessUnit.Length)..];
        }

        const int MaxDataRate = (1 << 13) - 1;
        int dataRate = (int)Math.Min(MaxDataRate, ((bytes * 8 * rate) + (samples * 500L)) / (samples * 1000L));
        var record = new List<byte> { (byte)(dataRate >> 5), (byte)((dataRate << 3) | last) };
        foreach (ref readonly Substream substream in substreams[..(last + 1)])
            Append(record, substream);
        return [.. record];
    }

    /// <summary>
    /// fscod 2, bsid 5, reserved 1, asvc 1, bsmod 3, acmod 3, lfeon 1, reserved 3, num_dep_sub 4 bits; then chan_loc 9 bits where something
    /// depends on it, else 1 reserved.
    /// </summary>
    private static void Append(List<byte> record, in Substream substream)
    {
        int dependents = System.Numerics.BitOperations.PopCount((uint)substream.Dependents);
        int bits = (substream.Frame.RateCode << 22) | (substream.Frame.BitstreamId << 17) | (substream.Frame.ServiceMode << 12)
            | (substream.Frame.ChannelMode << 9) | (substream.Frame.HasLfe ? 1 << 8 : 0) | (dependents << 1) | (substream.Channels >> 8);
        record.AddRange([(byte)(bits >> 16), (byte)(bits >> 8), (byte)bits]);
        if (dependents > 0)
            record.Add((byte)substream.Channels);
    }

    /// <summary>
    /// chanmap to chan_loc (F.6.2): both go from Lc/Rc to Cvh, but chanmap from its sixth bit of 16 down and chan_loc from bit 0 up;
    /// then LFE2.
    /// </summary>
    private static int LocationsOf(int channelMap)
    {
        const int FirstOfMap = 10, Pairs = 8, Lfe2OfMap = 1;
        int locations = ((channelMap >> Lfe2OfMap) & 1) << Pairs;
        for (int i = 0; i < Pairs; i++)
            locations |= ((channelMap >> (FirstOfMap - i)) & 1) << i;
        return locations;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Substream
    {
        public Ac3SyncFrame Frame;

        /// <summary>A bit for each dependent substream's number.</summary>
        public int Dependents;

        public int Channels;
    }
}
