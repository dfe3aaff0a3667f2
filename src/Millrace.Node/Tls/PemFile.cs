namespace Millrace.Node.Tls;

/// <summary>A PEM file as it was read.</summary>
/// <param name="Setting">That names it.</param>
/// <param name="Path">What it is called.</param>
internal sealed record PemFile(string Setting, string Path)
{
    public string Text { get; private init; } = "";

    /// <summary>Reads it; a <see cref="PemException"/> says why it cannot be read.</summary>
    public PemFile Read()
    {
        try
        {
            return this with { Text = File.ReadAllText(Path) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message;
            throw Fault($"cannot be read: {reason}", e);
        }
    }

    /// <param name="what">The rest of a sentence about the file.</param>
    /// <param name="inner">What it came of.</param>
    public PemException Fault(string what, Exception? inner = null) => new($"{Setting}: {Path} {what}", inner);
}

/// <summary>A file is no good; the message names its setting.</summary>
internal sealed class PemException(string message, Exception? inner = null) : Exception(message, inner);
