using System.Net.Sockets;

namespace Millrace.Bench.Send;

/// <summary>Frames come in real time; a pass sends each connection what is new, as a shard does.</summary>
internal sealed class StreamTrial(SendPlan plan, SendCase sendCase, SendVariant variant, Socket listener) : SendTrial(plan, sendCase, variant, listener)
{
    private long _written;
    private long _sent;
    private int _frames;
    private double _nextFrame;
    private double _pendingSince;

    protected override long? Offered => _written;

    protected override void Loop()
    {
        int group = Case.Frames.Length;
        int warmup = Math.Max(1, (int)(Plan.Warmup * 1000 / Case.FrameMs));
        int measured = (int)Math.Ceiling(Plan.Seconds * 1000 / Case.FrameMs / group) * group;
        int end = -1;
        _nextFrame = Now;
        while (true)
        {
            double wait = Math.Min(NextPass(), _nextFrame) - Now;
            Poll((int)Math.Ceiling(Math.Max(0, wait) * 1000), asked: null);
            bool isFrame = Now >= _nextFrame;
            bool isBorder = _frames >= (end < 0 ? warmup : end);
            // Between two passes, so that bytes and the work for them belong together.
            if (isFrame && isBorder && _sent == _written)
            {
                if (end >= 0) break;
                BeginWindow();
                end = _frames + measured;
            }

            if (isFrame) Write();
            if (Now >= NextPass()) Pass();
        }

        EndWindow();
    }

    private double NextPass()
    {
        if (_written == _sent) return double.PositiveInfinity;
        bool isEarly = Variant.EarlyBytes > 0 && _written - _sent >= Variant.EarlyBytes;
        return isEarly ? 0 : _pendingSince + (Case.WindowMs / 1000);
    }

    private void Write()
    {
        int bytes = Case.Frames[_frames++ % Case.Frames.Length];
        Source.Write(_written, bytes);
        if (_written == _sent) _pendingSince = _nextFrame;
        _written += bytes;
        _nextFrame += Case.FrameMs / 1000;
    }

    private void Pass()
    {
        _sent = _written;
        foreach (var outlet in Outlets)
        {
            if (_written - outlet.Position > SendSource.Bytes / 2) throw new InvalidOperationException("a receiver fell behind");
            outlet.End = _written;
            if (!outlet.IsBlocked) Path.Send(outlet);
        }

        Path.Flush();
    }
}
