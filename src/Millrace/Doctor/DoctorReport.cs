using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Doctor;

/// <summary>All checks of one visit.</summary>
/// <param name="Result">The worst of them.</param>
internal sealed record DoctorReport(CheckResult Result, IReadOnlyList<DoctorCheck> Checks)
{
    private const int MaxColumn = 36;

    public static DoctorReport Of(IReadOnlyList<DoctorCheck> checks) =>
        new(checks.Count == 0 ? CheckResult.Ok : checks.Max(static check => check.Result), checks);

    public void WriteText(TextWriter output)
    {
        var column = Math.Min(MaxColumn, Checks.Max(static check => check.Name.Length));
        foreach (var check in Checks)
        {
            output.WriteLine($"{NameOf(check.Result),-4}  {check.Name.PadRight(column)}  {check.Finding}");
            if (check.Advice is not null)
                output.WriteLine($"{"",-4}  {"".PadRight(column)}  -> {check.Advice}");
        }

        output.WriteLine(FormattableString.Invariant($"{Count(CheckResult.Ok)} ok, {Count(CheckResult.Warn)} warn, {Count(CheckResult.Fail)} fail"));
    }

    public void WriteJson(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(this, DoctorJson.Default.DoctorReport));

    private int Count(CheckResult result) => Checks.Count(check => check.Result == result);

    private static string NameOf(CheckResult result) => result switch
    {
        CheckResult.Ok => "ok",
        CheckResult.Warn => "warn",
        _ => "fail",
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(CheckResultConverter)])]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;

/// <summary>ok, warn, fail.</summary>
internal sealed class CheckResultConverter() : JsonStringEnumConverter<CheckResult>(JsonNamingPolicy.CamelCase);
