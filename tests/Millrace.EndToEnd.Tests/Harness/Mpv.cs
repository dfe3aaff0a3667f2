using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>mpv as a player.</summary>
internal static class Mpv
{
    /// <summary>Plays so many seconds without a picture or a sound, then ends with exit code 0; its output has warnings and errors.</summary>
    public static ChildProcess Play(string url, int seconds) => ChildProcess.Start(
        "mpv " + url, "mpv",
        ["--no-config", "--vo=null", "--ao=null", "--msg-level=all=warn", "--length=" + seconds.ToString(CultureInfo.InvariantCulture), url]);
}
