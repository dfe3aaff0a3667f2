using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>Ranges of HLS, for all apps and for what single apps do differently.</summary>
internal static class HlsValidator
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastPart = TimeSpan.FromMilliseconds(100);

    public static void Check(HlsSettings hls, SettingsChecks checks)
    {
        Ranges("hls", hls, checks);
        Agreement("hls", hls, checks);
    }

    /// <summary>Checks an app's own values, and whether they agree with those it takes from <paramref name="all"/>.</summary>
    public static void CheckApp(string path, HlsOverrides own, HlsSettings all, SettingsChecks checks)
    {
        // Over the defaults, which are valid: what is wrong in general is said once.
        Ranges(path, own.Over(new HlsSettings()), checks);
        var effective = own.Over(all);
        if (effective != all)
            Agreement(path, effective, checks);
    }

    private static void Ranges(string path, HlsSettings hls, SettingsChecks checks)
    {
        checks.Positive($"{path}.part", hls.Part, LeastPart, TimeSpan.FromSeconds(2));
        checks.Positive($"{path}.segment", hls.Segment, Second, TimeSpan.FromSeconds(30));
        checks.Count($"{path}.segments", hls.Segments, 3, HlsSettings.MostSegments);
        checks.Count($"{path}.hold_back", hls.HoldBack, 3, 20);
        checks.Positive($"{path}.idle", hls.Idle, TimeSpan.FromSeconds(5));
        if (hls.Ts.Fragment is { } fragment)
            checks.Positive($"{path}.ts.fragment", fragment, LeastPart, TimeSpan.FromMinutes(5));
        if (hls.Ts.PlaylistLength is { } length)
            checks.Positive($"{path}.ts.playlist_length", length, Second);
    }

    private static void Agreement(string path, HlsSettings hls, SettingsChecks checks)
    {
        checks.Require(hls.Part <= hls.Segment, $"{path}.part",
            $"{Units.Format(hls.Part)} is longer than a segment ({Units.Format(hls.Segment)})");
        var fragment = hls.Ts.Fragment ?? hls.Segment;
        checks.Require(!hls.Ts.Continuous || fragment >= Second, $"{path}.ts.fragment",
            $"{Units.Format(fragment)} is shorter than 1 s, and with continuous the numbers follow the clock's seconds");
        checks.Require(fragment <= TimeSpan.Zero || !(hls.Ts.PlaylistLength / fragment > HlsSettings.MostSegments), $"{path}.ts.playlist_length",
            $"is more than {HlsSettings.MostSegments} fragments of {Units.Format(fragment)}");
    }
}
