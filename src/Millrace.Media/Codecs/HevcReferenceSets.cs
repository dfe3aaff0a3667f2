using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>
/// The short-term reference picture sets of an SPS (H.265 7.3.7). They have no length, and a predicted set cannot be passed over without
/// knowing the size of the one before it (7.4.8), so each is decoded as far as its picture numbers.
/// </summary>
internal static class HevcReferenceSets
{
    private const int MaxSets = 64;
    private const int MaxPictures = 16;

    /// <summary>False when a count is beyond the standard's limits, or the bits end.</summary>
    public static bool TrySkip(ref BitReader bits)
    {
        uint sets = bits.ReadUe();
        if (bits.Failed || sets > MaxSets)
            return false;

        // Signed distances of the set before, the earlier pictures first (the order in which flags refer to them).
        Span<int> pictures = stackalloc int[MaxPictures];
        int negatives = 0, positives = 0;
        for (uint set = 0; set < sets; set++)
        {
            bool read = set > 0 && bits.ReadFlag()
                ? TryPredict(ref bits, pictures, ref negatives, ref positives)
                : TryReadExplicit(ref bits, pictures, out negatives, out positives);
            if (!read || bits.Failed)
                return false;
        }

        return true;
    }

    private static bool TryReadExplicit(ref BitReader bits, scoped Span<int> pictures, out int negatives, out int positives)
    {
        uint before = bits.ReadUe(), after = bits.ReadUe();
        negatives = positives = 0;
        if (bits.Failed || before > MaxPictures || after > MaxPictures - before)
            return false;

        negatives = (int)before;
        positives = (int)after;
        int distance = 0;
        for (int i = 0; i < negatives + positives; i++)
        {
            if (i == negatives)
                distance = 0;
            int step = (int)Math.Min(bits.ReadUe(), short.MaxValue) + 1;
            distance += i < negatives ? -step : step;
            pictures[i] = distance;
            bits.ReadFlag(); // used_by_curr_pic
        }

        return true;
    }

    /// <summary>Equations 7-61 and 7-62: the set before, moved by one distance, with some pictures left out.</summary>
    private static bool TryPredict(ref BitReader bits, scoped Span<int> pictures, ref int negatives, ref int positives)
    {
        bool isNegative = bits.ReadFlag();
        int delta = (int)Math.Min(bits.ReadUe(), short.MaxValue) + 1;
        if (isNegative)
            delta = -delta;

        int count = negatives + positives;
        Span<int> moved = stackalloc int[MaxPictures + 1];
        int kept = 0, below = 0;
        for (int i = 0; i <= count; i++)
        {
            bool used = bits.ReadFlag();
            bool keep = used || bits.ReadFlag();
            int distance = (i < count ? pictures[i] : 0) + delta;
            if (!keep || distance == 0)
                continue;
            moved[kept++] = distance;
            below += distance < 0 ? 1 : 0;
        }

        if (kept > MaxPictures)
            return false;

        // Both halves are ordered by growing distance from the current picture.
        moved[..kept].Sort(static (a, b) => a < 0 && b < 0 ? b.CompareTo(a) : a.CompareTo(b));
        moved[..kept].CopyTo(pictures);
        negatives = below;
        positives = kept - below;
        return true;
    }
}
