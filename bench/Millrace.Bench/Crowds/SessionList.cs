using System.Net;
using System.Text.Json;
using Millrace.Bench.Native;

namespace Millrace.Bench.Crowds;

/// <summary>What the server's list of sessions says of skips. Who is a guest is told by the source address.</summary>
internal sealed record SessionList(long SteadySkips, long GuestSkips, long GuestLagBytes)
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private static readonly SessionList None = new(-1, -1, -1);

    public static SessionList Read(Uri? address)
    {
        if (address is null) return None;
        using var list = JsonDocument.Parse(Http.GetStringAsync(address).GetAwaiter().GetResult());
        long steady = 0, guests = 0, lag = 0;
        foreach (var session in list.RootElement.GetProperty("sessions").EnumerateArray())
        {
            long skips = session.GetProperty("skips").GetInt64();
            if (RawTcp.IsFrom(IPEndPoint.Parse(session.GetProperty("remote").GetString()!).Address, Crowd.FirstGuestSource))
            {
                guests += skips;
                lag = Math.Max(lag, session.GetProperty("lagBytes").GetInt64());
            }
            else
            {
                steady += skips;
            }
        }

        return new SessionList(steady, guests, lag);
    }
}
