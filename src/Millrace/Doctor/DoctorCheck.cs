namespace Millrace.Doctor;

internal enum CheckResult
{
    Ok,

    /// <summary>It works, but not as well as it should, or not for as many.</summary>
    Warn,

    /// <summary>It does not work.</summary>
    Fail,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">What: the setting where there is one.</param>
/// <param name="Finding">What was found, one line.</param>
/// <param name="Advice">What to do, one line; null where there is nothing to do.</param>
internal sealed record DoctorCheck(string Name, CheckResult Result, string Finding, string? Advice = null)
{
    public static DoctorCheck Ok(string name, string finding, string? advice = null) => new(name, CheckResult.Ok, finding, advice);

    public static DoctorCheck Warn(string name, string finding, string advice) => new(name, CheckResult.Warn, finding, advice);

    public static DoctorCheck Fail(string name, string finding, string advice) => new(name, CheckResult.Fail, finding, advice);
}
