namespace Millrace.Node.Settings;

/// <summary>A credential in the settings. Prints as stars, so that no log line or interpolated record can show it.</summary>
internal readonly record struct Secret
{
    private readonly string? _value;

    public Secret(string value) => _value = value;

    /// <summary>The credential itself; empty when none is set. Compare with <see cref="Matches"/>.</summary>
    public string Value => _value ?? "";

    public bool IsSet => !string.IsNullOrEmpty(_value);

    /// <summary>Whether a client sent this credential; takes the same time for every wrong one of the same length.</summary>
    public bool Matches(ReadOnlySpan<char> offered) =>
        IsSet && System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(Value.AsSpan()),
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(offered));

    public override string ToString() => IsSet ? "***" : "";
}
