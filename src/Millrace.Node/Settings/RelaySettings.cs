namespace Millrace.Node.Settings;

/// <summary>The link between nodes: other nodes fetch this one's streams, and publish to it.</summary>
internal sealed record RelaySettings
{
    /// <summary>Where other nodes connect; default every address, port 9000; an empty list turns it off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, 9000)];

    /// <summary>What all nodes of a cluster share, and prove to each other; default none: any node may connect.</summary>
    public Secret Secret { get; init; }

    /// <summary>A node that has sent nothing for this long sends a heartbeat; default 200 ms.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A node of which nothing comes for this long is dead, however long a publisher is silent; default 600 ms.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(600);

    public RelayTlsSettings Tls { get; init; } = new();
}

/// <summary>The link between nodes with TLS 1.2 and 1.3, <c>millraces://</c>. Its port opens when there is a certificate.</summary>
internal sealed record RelayTlsSettings
{
    public const int DefaultPort = 9443;

    /// <summary>Where other nodes connect by TLS; default every address, port 9443; an empty list turns it off.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [new ListenEndpoint(null, DefaultPort)];

    /// <summary>PEM file of the node's certificate, those of the chain behind it; it shows it as well where it connects; default none. Read again when it changes.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file of the certificate's private key, not encrypted; default none. Read again when it changes.</summary>
    public string Key { get; init; } = "";

    /// <summary>PEM file of the authorities whose certificates other nodes must have; default none: those that the machine trusts. Read again when it changes.</summary>
    public string Authority { get; init; } = "";

    /// <summary>Whether nodes that connect must show a certificate of <see cref="Authority"/>; default false.</summary>
    public bool ClientCertificates { get; init; }

    public bool HasCertificate => Certificate.Length > 0 && Key.Length > 0;

    public bool IsEnabled => Listen.Count > 0 && HasCertificate;
}
