using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Node.Http;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Http;

/// <summary>What is counted of a request, by what its endpoint does.</summary>
public sealed class TrafficMiddlewareTests
{
    private readonly TrafficZones _zones = new(new NodeSettings());
    private readonly StreamName _name = new("default", "live", "x");

    [Fact]
    public async Task An_answer_counts_as_what_its_endpoint_says_with_every_byte_however_it_is_written()
    {
        _zones.Admit(_name);
        var sent = await ServeAsync(async context =>
        {
            TrafficTag.Set(context, _name, TrafficFormat.LlHls);
            context.Response.BodyWriter.GetSpan(10);
            context.Response.BodyWriter.Advance(10);
            await context.Response.BodyWriter.WriteAsync(new byte[20]);
            await context.Response.Body.WriteAsync(new byte[40]);
            await context.Response.BodyWriter.FlushAsync();
        });

        sent.ShouldBe(70);
        var row = _zones.Read().ShouldHaveSingleItem();
        (row.App, row.Format, row.Totals.Success, row.Totals.BytesOut).ShouldBe(("live", TrafficFormat.LlHls, 1, 70));
    }

    [Fact]
    public async Task An_answer_of_which_nobody_says_anything_is_the_pages()
    {
        await ServeAsync(context => context.Response.Body.WriteAsync(new byte[5]).AsTask());

        var row = _zones.Read().ShouldHaveSingleItem();
        (row.Vhost, row.App, row.Format, row.Totals.BytesOut).ShouldBe(("default", "", TrafficFormat.Page, 5));
    }

    [Fact]
    public async Task A_stream_counts_when_it_begins_and_its_bytes_are_its_sessions()
    {
        await ServeAsync(async context =>
        {
            TrafficTag.Set(context, _name, TrafficFormat.Flv);
            TrafficTag.CountStream(context, _zones, 200);
            _zones.Read().ShouldHaveSingleItem().Totals.Success.ShouldBe(1);
            await context.Response.Body.WriteAsync(new byte[5]);
        });

        _zones.Read().ShouldHaveSingleItem().Totals.ShouldBe(new TrafficTotals(0, 1, 0, 0, 0, 0, 0, 0) with { Micros = _zones.Read()[0].Totals.Micros });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fault_is_ours_unless_the_client_has_gone(bool hasGone)
    {
        await Should.ThrowAsync<InvalidOperationException>(() => ServeAsync(context =>
        {
            if (hasGone)
                context.Abort();
            throw new InvalidOperationException();
        }));

        var totals = _zones.Read().ShouldHaveSingleItem().Totals;
        (totals.ClientError, totals.ServerError).ShouldBe(hasGone ? (1, 0) : (0, 1));
    }

    [Fact]
    public async Task A_meter_that_was_used_before_knows_nothing_of_it()
    {
        var middleware = new TrafficMiddleware(new NodeSettings(), _zones);
        await middleware.InvokeAsync(Context(new MemoryStream()), async context =>
        {
            TrafficTag.Set(context, _name, TrafficFormat.Key);
            await context.Response.Body.WriteAsync(new byte[5]);
        });
        await middleware.InvokeAsync(Context(new MemoryStream()), _ => Task.CompletedTask);

        _zones.Read().Select(row => (row.Format, row.Totals.BytesOut)).ShouldBe([(TrafficFormat.Page, 0), (TrafficFormat.Key, 5)]);
    }

    private async Task<long> ServeAsync(RequestDelegate endpoint)
    {
        var body = new MemoryStream();
        var context = Context(body);
        await new TrafficMiddleware(new NodeSettings(), _zones).InvokeAsync(context, endpoint);
        return body.Length;
    }

    private static DefaultHttpContext Context(Stream body)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        context.Features.Set<IHttpRequestLifetimeFeature>(new Lifetime());
        return context;
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _aborted = new();

        public CancellationToken RequestAborted
        {
            get => _aborted.Token;
            set => throw new NotSupportedException();
        }

        public void Abort() => _aborted.Cancel();
    }
}
