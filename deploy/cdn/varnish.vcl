# Varnish (6.0 or later) as a cache in front of Millrace: however many viewers wait for an object, the node is asked for it
# once, and the blocking playlists of LL-HLS are no exception; all of them have it the moment it comes. Change the two lines
# marked with CHANGE, copy this to /etc/varnish/default.vcl and give Varnish memory for the last minutes of all streams
# (-s malloc,2g). For TLS and HTTP/2, which Safari plays LL-HLS over, put hitch in front and set -p feature=+http2.
vcl 4.1;

import std;

backend default {
    .host = "127.0.0.1"; # CHANGE: http.listen of the node
    .port = "8080"; # CHANGE
    # Longer than the node holds a request, which is three target durations.
    .first_byte_timeout = 100s;
}

sub vcl_recv {
    # HTTP-FLV and FLV over WebSocket have no end.
    if (req.http.Upgrade || req.url ~ "^[^?]*\.flv(\?|$)") {
        return (pipe);
    }
    # The page and keys.
    if (req.url !~ "^[^?]*\.(m3u8|m4s|ts)(\?|$)") {
        return (pass);
    }
    # What a viewer shows to be let in is the node's to judge: its cookie, a bearer's token, or a token in the query.
    if (req.http.Cookie ~ "millrace-" || req.http.Authorization || req.url ~ "[?&](token|key)=") {
        return (pass);
    }
    # Directives mean the same in any order.
    set req.url = std.querysort(req.url);
    unset req.http.Cookie;
}

sub vcl_pipe {
    if (req.http.Upgrade) {
        set bereq.http.Upgrade = req.http.Upgrade;
        set bereq.http.Connection = "upgrade";
    }
}

sub vcl_backend_response {
    # What has grown old is never given out while a newer one is fetched; it is only compared with it (ETag).
    set beresp.grace = 0s;
    set beresp.keep = 2m;
    # The node says for how long an error holds.
    if (beresp.status >= 400 && beresp.ttl <= 0s && beresp.http.Cache-Control == "public, max-age=1") {
        set beresp.ttl = 1s;
        return (deliver);
    }
    # A part that is not there yet will be: it must not be remembered as one that each viewer has to fetch by himself.
    if (beresp.status == 404 && beresp.http.Cache-Control == "no-store") {
        set beresp.ttl = 0s;
        set beresp.keep = 0s;
        return (deliver);
    }
}
