namespace Millrace.Bench.Curves;

/// <summary>The tries of one load at one window. The majority decides, for a machine that is not quiet fails loads that it could hold.</summary>
/// <param name="WindowMs">The configured window.</param>
/// <param name="Point">The load.</param>
/// <param name="Tries">How often it was put on a new server.</param>
/// <param name="HeldInWindow">Tries in which nobody was lost or skipped and no window was stretched.</param>
/// <param name="Held">Tries in which nobody was lost or skipped.</param>
internal sealed record KneeStep(int WindowMs, LoadPoint Point, int Tries, int HeldInWindow, int Held)
{
    public bool IsHeldInWindow => HeldInWindow * 2 > Tries;

    public bool IsHeld => Held * 2 > Tries;
}
