namespace Millrace.Configuration;

/// <summary>One thing that is wrong with the configuration: where it was written, which setting it is, what to do.</summary>
/// <param name="Path">The setting, <c>rtmp.listen[0]</c>; empty when it is about a whole file.</param>
internal sealed record SettingsError(Origin Origin, string Path, string Message)
{
    public override string ToString() => Path.Length > 0 ? $"{Origin}: {Path}: {Message}" : $"{Origin}: {Message}";
}
