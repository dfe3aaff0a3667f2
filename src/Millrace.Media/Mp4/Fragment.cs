using System.Numerics;
using System.Runtime.InteropServices;

namespace Millrace.Media.Mp4;

/// <summary>
/// The header of a movie fragment (ISO/IEC 14496-12 8.8) of one track, number <see cref="InitSection.TrackId"/>: moof and the
/// start of mdat, without styp. The samples' payloads follow in order.
/// </summary>
public static class Fragment
{
    private const int BoxHeaderLength = 8, FullBoxHeaderLength = 12;
    private const int MovieFragmentHeaderLength = FullBoxHeaderLength + 4;
    private const int DecodeTimeLength = FullBoxHeaderLength + 8;

    // tf_flags (8.8.7.1); each of the first three adds a 32-bit field.
    private const int DefaultDuration = 0x08, DefaultSize = 0x10, DefaultFlags = 0x20, DefaultFields = 0x38;
    private const int DefaultBaseIsMoof = 0x02_0000;

    // tr_flags (8.8.8.1); each adds a 32-bit field to the box, or to every sample.
    private const int DataOffset = 0x001, FirstSampleFlags = 0x004, BoxFields = 0x005;
    private const int Duration = 0x100, Size = 0x200, Flags = 0x400, CompositionOffset = 0x800, SampleFields = 0xF00;

    // sample_depends_on, sample_is_non_sync_sample (8.8.3.1).
    private const uint SyncSample = 2u << 24, DependentSample = (1u << 24) | (1u << 16);

    /// <summary>Bytes that <see cref="WriteHeader"/> writes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are no samples.</exception>
    public static int MeasureHeader(ReadOnlySpan<Sample> samples, TrackKind kind) => Layout.Of(samples, kind).MeasureHeader();

    /// <summary>
    /// Writes moof and the mdat header. What the samples agree about stands once, so the layout follows from the samples alone.
    /// </summary>
    /// <param name="target">At least <see cref="MeasureHeader"/> bytes.</param>
    /// <param name="sequenceNumber">mfhd; it rises along the track.</param>
    /// <param name="samples">At least one; of less than 4 GB together.</param>
    /// <param name="kind">Audio has sync samples only.</param>
    /// <returns>Bytes written; the payload of the first sample belongs right behind them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are no samples.</exception>
    /// <exception cref="OverflowException">A sample has a negative length, duration or decoding time, or the whole is too large.</exception>
    public static int WriteHeader(Span<byte> target, uint sequenceNumber, ReadOnlySpan<Sample> samples, TrackKind kind)
    {
        Layout layout = Layout.Of(samples, kind);
        var writer = new BoxWriter(target);
        int moof = writer.Begin("moof"u8);
        int mfhd = writer.Begin("mfhd"u8, 0, 0);
        writer.WriteUInt32(sequenceNumber);
        writer.End(mfhd);
        int traf = writer.Begin("traf"u8);
        WriteDefaults(ref writer, samples, kind, layout);
        int tfdt = writer.Begin("tfdt"u8, 1, 0);
        writer.WriteUInt64(checked((ulong)samples[0].Dts));
        writer.End(tfdt);
        WriteRun(ref writer, samples, kind, layout);
        writer.End(traf);
        writer.End(moof);

        long length = BoxHeaderLength;
        foreach (ref readonly Sample sample in samples)
            length += sample.Length;
        writer.WriteUInt32(checked((uint)length));
        writer.Write("mdat"u8);
        return writer.Length;
    }

    private static void WriteDefaults(ref BoxWriter writer, ReadOnlySpan<Sample> samples, TrackKind kind, Layout layout)
    {
        int tfhd = writer.Begin("tfhd"u8, 0, layout.HeaderFlags);
        writer.WriteUInt32(InitSection.TrackId);
        if ((layout.HeaderFlags & DefaultDuration) != 0)
            writer.WriteUInt32(checked((uint)samples[0].Duration));
        if ((layout.HeaderFlags & DefaultSize) != 0)
            writer.WriteUInt32(checked((uint)samples[0].Length));
        if ((layout.HeaderFlags & DefaultFlags) != 0)
            writer.WriteUInt32(FlagsOf(samples[^1], kind));
        writer.End(tfhd);
    }

    private static void WriteRun(ref BoxWriter writer, ReadOnlySpan<Sample> samples, TrackKind kind, Layout layout)
    {
        int flags = layout.RunFlags;
        int trun = writer.Begin("trun"u8, 1, flags);
        writer.WriteUInt32((uint)samples.Length);
        writer.WriteUInt32((uint)layout.MeasureHeader());
        if ((flags & FirstSampleFlags) != 0)
            writer.WriteUInt32(FlagsOf(samples[0], kind));
        foreach (ref readonly Sample sample in samples)
        {
            if ((flags & Duration) != 0)
                writer.WriteUInt32(checked((uint)sample.Duration));
            if ((flags & Size) != 0)
                writer.WriteUInt32(checked((uint)sample.Length));
            if ((flags & Flags) != 0)
                writer.WriteUInt32(FlagsOf(sample, kind));
            if ((flags & CompositionOffset) != 0)
                writer.WriteUInt32((uint)checked((int)(sample.Pts - sample.Dts)));
        }

        writer.End(trun);
    }

    private static uint FlagsOf(in Sample sample, TrackKind kind) => IsSync(sample, kind) ? SyncSample : DependentSample;

    private static bool IsSync(in Sample sample, TrackKind kind) => kind != TrackKind.Video || sample.IsKey;

    /// <summary>Which fields stand once in tfhd or for each sample in trun.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Layout(int HeaderFlags, int RunFlags, int Count)
    {
        public static Layout Of(ReadOnlySpan<Sample> samples, TrackKind kind)
        {
            ArgumentOutOfRangeException.ThrowIfZero(samples.Length, nameof(samples));
            int header = DefaultBaseIsMoof | DefaultFields, run = DataOffset;
            ref readonly Sample first = ref samples[0], last = ref samples[^1];
            bool isLastSync = IsSync(last, kind);
            for (int i = 0; i < samples.Length; i++)
            {
                ref readonly Sample sample = ref samples[i];
                if (sample.Duration != first.Duration)
                    run |= Duration;
                if (sample.Length != first.Length)
                    run |= Size;
                if (IsSync(sample, kind) != isLastSync)
                    run |= i == 0 ? FirstSampleFlags : Flags;
                if (sample.Pts != sample.Dts)
                    run |= CompositionOffset;
            }

            if ((run & Flags) != 0)
                run &= ~FirstSampleFlags; // 8.8.8.1: never both
            header &= ~(((run & Duration) != 0 ? DefaultDuration : 0)
                | ((run & Size) != 0 ? DefaultSize : 0) | ((run & Flags) != 0 ? DefaultFlags : 0));
            return new Layout(header, run, samples.Length);
        }

        public int MeasureHeader()
        {
            int tfhd = FullBoxHeaderLength + 4 + FieldsOf(HeaderFlags & DefaultFields);
            int trun = FullBoxHeaderLength + 4 + FieldsOf(RunFlags & BoxFields) + (Count * FieldsOf(RunFlags & SampleFields));
            const int Moof = BoxHeaderLength, Traf = BoxHeaderLength, Mdat = BoxHeaderLength;
            return Moof + MovieFragmentHeaderLength + Traf + tfhd + DecodeTimeLength + trun + Mdat;
        }

        private static int FieldsOf(int flags) => sizeof(uint) * BitOperations.PopCount((uint)flags);
    }
}
