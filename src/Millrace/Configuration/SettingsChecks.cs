using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>The forms of check that settings need; each adds an error with the place where the value was written.</summary>
internal sealed class SettingsChecks(SettingsBinder binder, List<SettingsError> errors)
{
    private static readonly TimeSpan LongestDuration = TimeSpan.FromDays(7);

    public void Fail(string path, string message) => errors.Add(new SettingsError(binder.OriginOf(path), path, message));

    /// <summary>Says <paramref name="message"/> unless <paramref name="isValid"/>.</summary>
    public void Require(bool isValid, string path, string message)
    {
        if (!isValid)
            Fail(path, message);
    }

    public void Count(string path, long value, long least, long most) =>
        Require(value >= least && value <= most, path, FormattableString.Invariant($"{value} is out of range: {least} to {most}"));

    public void Size(string path, long value, long least, long most) =>
        Require(value >= least && value <= most, path,
            $"{Units.FormatSize(value)} is out of range: {Units.FormatSize(least)} to {Units.FormatSize(most)}");

    /// <summary>A duration of 0 is "off" or "at once", as its setting says.</summary>
    public void Duration(string path, TimeSpan value, TimeSpan? most = null) => Positive(path, value, TimeSpan.Zero, most);

    public void Positive(string path, TimeSpan value, TimeSpan least, TimeSpan? most = null)
    {
        var longest = most ?? LongestDuration;
        Require(value >= least && value <= longest, path,
            $"{Units.Format(value)} is out of range: {Units.Format(least)} to {Units.Format(longest)}");
    }

    /// <summary>A credential is compared as it stands in a URL: white space there is a mistake in the file.</summary>
    public void Token(string path, Secret value) =>
        Require(!value.Value.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)), path,
            "must not contain white space; write \"\" for no token");
}
