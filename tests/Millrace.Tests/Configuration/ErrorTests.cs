namespace Millrace.Tests.Configuration;

public sealed class ErrorTests
{
    [Fact]
    public void All_errors_are_reported_at_once_with_line_and_key()
    {
        const string yaml = """
            rtmp:
              chunk_size: 12
              chunksize: 5
              ping: 60
              ping: 60s
              listen: [":1935", ":99999"]
            chunk_size: 1
            http:
              listen:
                - ":8080"
                - "127.0.0.1:8080"
            vhosts:
              - name: "*.example.org"
                mode: remote
                origin: "millrace://a srt://b"
                apps:
                  - name: api/x
                  - publish: {token: "a b"}
            publish:
              duplicate: rejct
            """;
        Loading.Load(yaml, null, ("MILLRACE__MEMORY", "4"), ("MILLRACE__PAGE__LIST", "perhaps")).ErrorLines().ShouldBe(
        [
            "millrace.yml:2: rtmp.chunk_size: 12 is out of range: 128 to 65536",
            "millrace.yml:3: rtmp.chunksize: unknown setting; did you mean rtmp.chunk_size?",
            "millrace.yml:4: rtmp.ping: '60' has no unit: write 60ms, 60s, 60m or 60h",
            "millrace.yml:5: rtmp.ping: is there twice, first in line 4",
            "millrace.yml:6: rtmp.listen[1]: port 99999 is out of range: 1 to 65535",
            "millrace.yml:7: chunk_size: unknown setting; did you mean rtmp.chunk_size?",
            "millrace.yml:11: http.listen[1]: 127.0.0.1:8080 is taken by http.listen[0] (:8080)",
            "millrace.yml:15: vhosts[0].origin[0]: 'srt://b': origins are millrace://host:port, rtmp://host:port/app, http://host:port, the same with TLS (millraces, rtmps, https), or host:port",
            "millrace.yml:17: vhosts[0].apps[0].name: 'api/x' is reserved: the node uses this path itself",
            "millrace.yml:18: vhosts[0].apps[1].name: is missing",
            "millrace.yml:18: vhosts[0].apps[1].publish.token: must not contain white space; write \"\" for no token",
            "millrace.yml:20: publish.duplicate: 'rejct' is not one of reject, takeover",
            "MILLRACE__MEMORY: memory: is a section and takes settings, not a value: media",
            "MILLRACE__PAGE__LIST: page.list: 'perhaps' is not true or false",
        ]);
    }

    [Theory]
    [InlineData("rtmp: [1]", "millrace.yml:1: rtmp: is a section and takes settings")]
    [InlineData("rtmp:\n  ping: [1s]", "millrace.yml:2: rtmp.ping: takes one value, not several")]
    [InlineData("rtmp:\n  ping:", "millrace.yml:2: rtmp.ping: has no value")]
    [InlineData("rtmp:\n  listen: {a: b}", "millrace.yml:2: rtmp.listen: is a list")]
    [InlineData("vhosts: default", "millrace.yml:1: vhosts: is a list")]
    [InlineData("vhosts:\n-\n", "millrace.yml:2: vhosts[0]: is a section and takes settings")]
    [InlineData("- a", "millrace.yml:1: the file must be a mapping")]
    [InlineData("rtmp:\n  listen: [\n", "millrace.yml:3: not valid YAML")]
    [InlineData("rtmp:\n\tping: 1s", "millrace.yml:1: not valid YAML: While scanning a mapping, found invalid tab")]
    [InlineData("rtmp:\n  ping: *x", "millrace.yml:2: not valid YAML: '*x' refers to nothing")]
    [InlineData("? [a]\n: b", "millrace.yml:1: not valid YAML: a key must be a plain word")]
    [InlineData("a: b\n---\nc: d", "millrace.yml:2: a second YAML document")]
    public void A_file_of_another_shape_is_refused_where_it_differs(string yaml, string start) =>
        Loading.Load(yaml).ErrorLines()[^1].ShouldStartWith(start);

    [Theory]
    [InlineData("MILLRACE__RTMP", "x", "MILLRACE__RTMP: rtmp: is a section")]
    [InlineData("MILLRACE__RTMP__PNG", "1s", "MILLRACE__RTMP__PNG: rtmp.png: unknown setting; did you mean rtmp.ping?")]
    [InlineData("MILLRACE__RTMP____PING", "1s", "MILLRACE__RTMP____PING: is not the name of a setting")]
    [InlineData("MILLRACE__RTMP__LISTEN__2", ":1", "MILLRACE__RTMP__LISTEN__2: rtmp.listen: is a list: '2' must be an index from 0 to 1")]
    [InlineData("MILLRACE__RTMP__PING__0", "1s", "MILLRACE__RTMP__PING__0: rtmp.ping: takes one value, not several")]
    [InlineData("MILLRACE__RTMP__CHUNK_SIZE", "", "MILLRACE__RTMP__CHUNK_SIZE: rtmp.chunk_size: '' is not a size")]
    [InlineData("MILLRACE__RTMP__CHUNK_SIZE", "9", "MILLRACE__RTMP__CHUNK_SIZE: rtmp.chunk_size: 9 is out of range")]
    public void An_error_in_a_variable_names_the_variable(string name, string value, string start) =>
        Loading.Load(null, null, (name, value)).ErrorLines().ShouldHaveSingleItem().ShouldStartWith(start);

    [Theory]
    [InlineData("MILLRACE__RTMP__LISTEN", "MILLRACE__RTMP__LISTEN__0")]
    [InlineData("MILLRACE__RTMP__LISTEN", "MILLRACE__RTMP__LISTEN__0__X")]
    [InlineData("MILLRACE__RTMP__LISTEN", "millrace__rtmp__listen")]
    public void Two_variables_for_one_setting_are_an_error(string first, string second) =>
        Loading.Load(null, null, (first, ":1"), (second, ":2")).ErrorLines()
            .ShouldHaveSingleItem().ShouldBe($"{second}: contradicts {first}: set one of them");

    [Fact]
    public void What_is_wrong_in_the_file_is_reported_even_when_a_variable_overrides_it() =>
        Loading.Load("rtmp:\n  ping: soon", null, ("MILLRACE__RTMP__PING", "1s")).ErrorLines()
            .ShouldHaveSingleItem().ShouldStartWith("millrace.yml:2: rtmp.ping");

    [Fact]
    public void A_credential_is_never_part_of_an_error()
    {
        var loaded = Loading.Load("publish:\n  token: geheim wort");
        loaded.ErrorLines().ShouldHaveSingleItem().ShouldNotContain("geheim");
    }
}
