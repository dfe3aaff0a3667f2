using Millrace.Configuration;
using Millrace.Node.Settings;

namespace Millrace.Tests.Configuration;

public sealed class RestreamerEnvironmentTests
{
    [Theory]
    [InlineData("RTMP_SERVER_", "HTTP_SERVER_", "RTMP_SERVER_HLS_PUBLISH_TOKEN", "HTTP_SERVER_HLS_ACCESS_CONTROL_ALLOW_ORIGIN")]
    [InlineData("RTMP_SRV_", "HTTP_SRV_", "RTMP_PUBLISH_TOKEN", "HTTP_SRV_ACCESS_CONTROL_ALLOW_ORIGIN")]
    public void Both_generations_of_names_are_understood(string rtmp, string http, string token, string origin)
    {
        var settings = Loading.Load(null, null,
            ($"{rtmp}PORT", "1936"), ($"{rtmp}TIMEOUT", "61"), ($"{rtmp}PING", "2m"), ($"{rtmp}PING_TIMEOUT", "31s"),
            ($"{rtmp}MAX_STREAMS", "33"), ($"{rtmp}ACK_WINDOW", "5000001"), ($"{rtmp}CHUNK_SIZE", "4k"),
            ($"{rtmp}MAX_MESSAGE", "2M"), ($"{rtmp}BUFLEN", "6s"), ($"{http}PORT", "81"), (token, "geheim"),
            (origin, "https://example.org")).Valid();

        settings.Rtmp.Listen.ShouldBe([new ListenEndpoint(null, 1936)]);
        settings.Rtmp.Timeout.ShouldBe(TimeSpan.FromSeconds(61));
        settings.Rtmp.Ping.ShouldBe(TimeSpan.FromMinutes(2));
        settings.Rtmp.PingTimeout.ShouldBe(TimeSpan.FromSeconds(31));
        settings.Rtmp.MaxStreams.ShouldBe(33);
        settings.Rtmp.AckWindow.ShouldBe(5_000_001);
        settings.Rtmp.ChunkSize.ShouldBe(4096);
        settings.Rtmp.MaxMessage.ShouldBe(2 << 20);
        settings.Rtmp.BufferLength.ShouldBe(TimeSpan.FromSeconds(6));
        settings.Http.Listen.ShouldBe([new ListenEndpoint(null, 81)]);
        settings.Publish.Token.Value.ShouldBe("geheim");
        settings.Http.Cors.AllowOrigin.ShouldBe("https://example.org");
    }

    [Theory]
    [InlineData("RTMP_SERVER_HLS_", "CONTINOUS", "HTTP_SERVER_HLS_STATUS_USERNAME", "HTTP_SERVER_HLS_STATUS_PASSWORD")]
    [InlineData("RTMP_SRV_HLS_", "CONTINUOUS", "HTTP_SRV_HLS_STATUS_USERNAME", "HTTP_SRV_HLS_STATUS_PASSWORD")]
    [InlineData("RTMP_SRV_APP_HLS_HLS_", "CONTINOUS", "HTTP_AUTH_USERNAME", "HTTP_AUTH_PASSWORD")]
    public void HLS_and_status_are_set_by_the_names_of_every_generation(string hls, string continuous, string user, string password)
    {
        var loaded = Loading.Load(null, null,
            ($"{hls}FRAGMENT", "3s"), ($"{hls}PLAYLIST_LENGTH", "18000"), ($"{hls}SYNC", "2ms"), ($"{hls}{continuous}", "on"),
            ($"{hls}NESTED", "on"), ($"{hls}CLEANUP", "off"), ($"{hls}FRAGMENT_NAMING", "system"),
            ($"{hls}FRAGMENT_NAMING_GRANULARITY", "1000"), ($"{hls}FRAGMENT_SLICING", "aligned"), ($"{hls}TYPE", "event"),
            ($"{hls}KEY", "on"), ($"{hls}FRAGMENTS_PER_KEY", "5"), (user, "root"), (password, "geheim"));
        var settings = loaded.Valid();

        loaded.Notices.ShouldBeEmpty();
        settings.Hls.ShouldBe(new HlsSettings
        {
            Ts = new TsHlsSettings
            {
                Fragment = TimeSpan.FromSeconds(3),
                PlaylistLength = TimeSpan.FromHours(5),
                Continuous = true,
                Nested = true,
                Cleanup = false,
                Naming = TsNaming.System,
                Granularity = 1000,
                Slicing = TsSlicing.Aligned,
                Type = TsPlaylistType.Event,
                Encrypt = true,
                FragmentsPerKey = 5,
            },
        });
        settings.Tracks.AudioTolerance.ShouldBe(TimeSpan.FromMilliseconds(2));
        settings.Status.ShouldBe(new StatusSettings { Username = "root", Password = new Secret("geheim") });
    }

    [Fact]
    public void Names_alone_bring_no_defaults_of_restreamer_edge() =>
        Loading.Load(null, null, ("RTMP_SERVER_PORT", "1935")).Valid().Publish.Token.IsSet.ShouldBeFalse();

    [Fact]
    public void An_empty_variable_is_not_set() =>
        Loading.Load(null, "restreamer-edge", ("RTMP_SERVER_HLS_PUBLISH_TOKEN", ""), ("RTMP_SERVER_PING", "")).Valid()
            .Publish.Token.Value.ShouldBe("datarhei");

    [Fact]
    public void The_address_of_a_Kubernetes_service_is_not_a_port() =>
        Loading.Load(null, null, ("HTTP_SERVER_PORT", "tcp://10.0.0.1:80")).Valid().Http.Listen[0].Port.ShouldBe(8080);

    [Theory]
    [InlineData("RTMP_SERVER_PORT", "http", "rtmp.listen: 'http' is not a port")]
    [InlineData("RTMP_SERVER_PORT", "70000", "rtmp.listen[0]: port 70000 is out of range: 1 to 65535")]
    [InlineData("RTMP_SRV_PING", "1.5s", "rtmp.ping: '1.5s' is not a duration as nginx writes it (60, 60s, 3m)")]
    [InlineData("RTMP_SRV_MAX_MESSAGE", "1MB", "rtmp.max_message: '1MB' is not a size as nginx writes it (4096, 4k, 1M)")]
    [InlineData("RTMP_SERVER_HLS_NESTED", "1", "hls.ts.nested: '1' is not true or false")]
    [InlineData("RTMP_SERVER_HLS_TYPE", "vod", "hls.ts.type: 'vod' is not one of live, event")]
    [InlineData("RTMP_SERVER_CHUNK_SIZE", "64", "rtmp.chunk_size: 64 is out of range: 128 to 65536")]
    public void A_wrong_value_names_the_variable(string name, string value, string message) =>
        Loading.Load(null, null, (name, value)).ErrorLines().ShouldHaveSingleItem().ShouldBe($"{name}: {message}");

    [Fact]
    public void Two_names_of_one_setting_must_agree()
    {
        Loading.Load(null, null, ("RTMP_SERVER_PORT", "1935"), ("RTMP_SRV_PORT", "1935")).Valid();
        Loading.Load(null, null, ("RTMP_SERVER_PORT", "1935"), ("RTMP_SRV_PORT", "1936")).ErrorLines()
            .ShouldHaveSingleItem().ShouldBe("RTMP_SRV_PORT: rtmp.listen: contradicts RTMP_SERVER_PORT: set one of them");
    }

    [Fact]
    public void Variables_without_a_counterpart_are_pointed_out()
    {
        var loaded = Loading.Load(null, "restreamer-edge", ("RTMP_SERVER_HLS_SNAPSHOT_INTERVAL", "60"), ("WORKER_PROCESSES", "4"));
        loaded.Valid();
        loaded.Notices.ShouldBe(
        [
            "RTMP_SERVER_HLS_SNAPSHOT_INTERVAL: known from Restreamer-Edge, without effect in this version",
            "WORKER_PROCESSES: known from Restreamer-Edge, without effect in this version",
        ]);
    }

    [Fact]
    public void The_preset_has_the_documented_defaults()
    {
        var settings = Loading.Load(null, "restreamer-edge").Valid();
        settings.Rtmp.ShouldBe(new RtmpSettings
        {
            Listen = settings.Rtmp.Listen,
            Ping = TimeSpan.FromMinutes(3),
            MaxStreams = 32,
            AckWindow = 5_000_000,
            ChunkSize = 4000,
            MaxMessage = 1 << 20,
        });
        settings.Http.Listen.ShouldBe([new ListenEndpoint(null, 80)]);
        settings.Http.Cors.AllowOrigin.ShouldBe("*");
        settings.Publish.Token.Value.ShouldBe("datarhei");
        settings.Hls.ShouldBe(new HlsSettings
        {
            Ts = new TsHlsSettings { Fragment = TimeSpan.FromSeconds(2), PlaylistLength = TimeSpan.FromMinutes(1), Cut = TsCut.After, Names = TsNames.Plain },
        });
        settings.Tracks.AudioTolerance.ShouldBe(TimeSpan.FromMilliseconds(1));
        settings.Status.ShouldBe(new StatusSettings { Username = "admin", Password = new Secret("datarhei") });
    }

    [Theory]
    [InlineData("ome-edge", 1935, 8080)]
    [InlineData("ome-live", 1935, 80, 8080)]
    [InlineData("restreamer-edge", 1935, 80)]
    [InlineData("streamlick", 1935, 3001)]
    public void Each_preset_loads_and_has_its_ports(string preset, int rtmp, params int[] http)
    {
        Presets.Names.ShouldContain(preset);
        var settings = Loading.Load(null, preset).Valid();
        settings.Rtmp.Listen.Select(e => e.Port).ShouldBe([rtmp]);
        settings.Http.Listen.Select(e => e.Port).ShouldBe(http);
    }

    [Fact]
    public void Every_preset_is_covered_and_another_name_is_an_error()
    {
        Presets.Names.ShouldBe(["ome-edge", "ome-live", "restreamer-edge", "streamlick"]);
        Loading.Load(null, "obs").ErrorLines().ShouldHaveSingleItem()
            .ShouldBe("--preset: 'obs' is no preset; there are ome-edge, ome-live, restreamer-edge, streamlick");
        Loading.Load(null, "restreamer").ErrorLines().ShouldHaveSingleItem().ShouldEndWith("did you mean restreamer-edge?");
    }
}
