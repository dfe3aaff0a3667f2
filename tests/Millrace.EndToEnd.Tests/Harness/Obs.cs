using System.Globalization;
using System.Text.Json;

namespace Millrace.EndToEnd.Harness;

/// <summary>
/// OBS Studio on a display of its own (Xvfb, Mesa's software renderer), with a home that holds one profile and one scene:
/// a file that plays in a loop. Streams as soon as it has started.
/// </summary>
internal sealed class Obs : IAsyncDisposable
{
    /// <summary>Pictures a second.</summary>
    public const int Rate = 20;

    private readonly TemporaryFolder _home;
    private readonly ChildProcess _display;
    private readonly ChildProcess _process;

    private Obs(TemporaryFolder home, ChildProcess display, ChildProcess process)
    {
        (_home, _display, _process) = (home, display, process);
    }

    /// <summary>Starts OBS, which publishes the file to `server` with the stream key.</summary>
    public static async Task<Obs> PublishFileAsync(string file, string server, string key)
    {
        var home = new TemporaryFolder();
        Prepare(home, file, server, key);
        var display = ChildProcess.Start("Xvfb", "Xvfb", ["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]);
        var number = await display.LineAsync(line => int.TryParse(line, out _), TimeSpan.FromSeconds(10));
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = home.File("."),
            ["XDG_CONFIG_HOME"] = home.File(".config"),
            ["XDG_RUNTIME_DIR"] = home.File("."),
            ["DISPLAY"] = ":" + number,
            ["QT_QPA_PLATFORM"] = "xcb",
            ["LIBGL_ALWAYS_SOFTWARE"] = "1",
            // OBS asks for a newer list of streaming services; the discard port ends that at once.
            ["https_proxy"] = "http://127.0.0.1:9",
        };
        var process = ChildProcess.Start(
            "obs", "obs", ["--startstreaming", "--multi", "--disable-shutdown-check", "--profile", "Test", "--collection", "Test"], environment: environment);
        return new Obs(home, display, process);
    }

    /// <summary>Kills OBS: closed while it streams, version 29 now and then ends with a segmentation fault.</summary>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _display.DisposeAsync();
        _home.Dispose();
    }

    private static void Prepare(TemporaryFolder home, string file, string server, string key)
    {
        const string Root = ".config/obs-studio";
        Directory.CreateDirectory(home.File(Root + "/basic/profiles/Test"));
        Directory.CreateDirectory(home.File(Root + "/basic/scenes"));
        // FirstRun: the wizard has been seen.
        home.Write(Root + "/global.ini", """
            [General]
            FirstRun=true
            EnableAutoUpdates=false
            """);
        home.Write(Root + "/basic/profiles/Test/basic.ini", string.Create(CultureInfo.InvariantCulture, $"""
            [General]
            Name=Test
            [Output]
            Mode=Simple
            Reconnect=false
            [SimpleOutput]
            StreamEncoder=x264
            VBitrate=500
            ABitrate=96
            [Video]
            BaseCX=640
            BaseCY=360
            OutputCX=640
            OutputCY=360
            FPSType=1
            FPSInt={Rate}
            """));
        home.Write(Root + "/basic/profiles/Test/service.json", JsonSerializer.Serialize(
            new { type = "rtmp_custom", settings = new { server, key } }));
        home.Write(Root + "/basic/scenes/Test.json", JsonSerializer.Serialize(new
        {
            name = "Test",
            current_scene = "Scene",
            current_program_scene = "Scene",
            sources = new object[]
            {
                new { id = "ffmpeg_source", name = "File", mixers = 255, settings = new { local_file = file, looping = true } },
                new { id = "scene", name = "Scene", settings = new { items = new[] { new { name = "File", visible = true } } } },
            },
        }));
    }
}
