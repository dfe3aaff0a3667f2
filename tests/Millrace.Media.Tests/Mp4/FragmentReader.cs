namespace Millrace.Media.Tests.Mp4;

/// <summary>A sample as a reader sees it, with its bytes.</summary>
internal sealed record ReadSample(byte[] Payload, long Dts, long Pts, uint Duration, uint Flags);

/// <summary>Reads moof and mdat as a player does (ISO/IEC 14496-12 8.8): defaults of tfhd, then what trun says instead.</summary>
internal static class FragmentReader
{
    public static List<ReadSample> Read(byte[] fragment)
    {
        List<Box> boxes = Box.Read(fragment);
        Box.Outline(boxes).ShouldBe("moof(mfhd traf(tfhd tfdt trun)) mdat");
        Box tfhd = Box.Find(boxes, "moof/traf/tfhd"), trun = Box.Find(boxes, "moof/traf/trun");
        int headerFlags = (int)tfhd.UInt32(0), at = 8;
        (headerFlags & 0x20000).ShouldBe(0x20000, "offsets are from the moof");
        tfhd.UInt32(4).ShouldBe(1u);
        uint? duration = Take(tfhd, headerFlags, 0x08, ref at), size = Take(tfhd, headerFlags, 0x10, ref at);
        uint? flags = Take(tfhd, headerFlags, 0x20, ref at);
        at.ShouldBe(tfhd.Body.Length);

        uint versionAndFlags = trun.UInt32(0);
        (versionAndFlags >> 24).ShouldBe(1u);
        int runFlags = (int)versionAndFlags & 0xFFFFFF;
        at = 8;
        int offset = (int)Take(trun, runFlags, 0x01, ref at)!.Value;
        uint? first = Take(trun, runFlags, 0x04, ref at);
        var samples = new List<ReadSample>();
        long dts = (long)Box.Find(boxes, "moof/traf/tfdt").UInt64(4);
        for (uint i = 0; i < trun.UInt32(4); i++)
        {
            uint sampleDuration = (Take(trun, runFlags, 0x100, ref at) ?? duration)!.Value;
            int length = (int)(Take(trun, runFlags, 0x200, ref at) ?? size)!.Value;
            uint sampleFlags = (Take(trun, runFlags, 0x400, ref at) ?? (i == 0 ? first : null) ?? flags)!.Value;
            int composition = (int)(Take(trun, runFlags, 0x800, ref at) ?? 0);
            samples.Add(new ReadSample(fragment[offset..(offset + length)], dts, dts + composition, sampleDuration, sampleFlags));
            dts += sampleDuration;
            offset += length;
        }

        at.ShouldBe(trun.Body.Length);
        offset.ShouldBe(fragment.Length);
        return samples;
    }

    private static uint? Take(Box box, int flags, int flag, ref int at)
    {
        if ((flags & flag) == 0)
            return null;
        at += 4;
        return box.UInt32(at - 4);
    }
}
