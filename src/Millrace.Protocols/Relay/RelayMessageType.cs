namespace Millrace.Protocols.Relay;

/// <summary>
/// Messages of the relay, version 1. Each is <c>type (1 byte) length (varint) payload</c>; a receiver skips types that it does not know.
/// Numbers are varints (LEB128), signed ones zigzag; texts are UTF-8 behind their length.
/// Fields that a receiver does not know stand behind those that it does.
/// <para>
/// The side that connects is the client, whichever way media goes. It says <see cref="Hello"/>, the server <see cref="Welcome"/>, the client
/// <see cref="Proof"/>; then one request, which a connection is for (<see cref="Authorize"/> alone may come again). The messages of the log come from whoever sends media, and not before
/// the request is granted: the server of a <see cref="Play"/>, the client of a <see cref="Publish"/>. Limits: <see cref="RelayRules"/>.
/// </para>
/// </summary>
internal enum RelayMessageType : byte
{
    None = 0,

    /// <summary>
    /// Client: <c>"MLRC" version node nonce(16) count node…</c>: itself, and the up to 16 nodes below it that this request is made for. An id
    /// is 1 to 64 visible ASCII characters.
    /// </summary>
    Hello = 1,

    /// <summary>Server: <c>version node nonce(16) proof</c>, this behind its length, 0 or 32 (<see cref="RelayProof"/>).</summary>
    Welcome = 2,

    /// <summary>Client: <c>proof</c>, as in <see cref="Welcome"/>. It may ask at once behind it.</summary>
    Proof = 3,

    /// <summary>Server: <c>code reason</c>; the end of the connection.</summary>
    Refused = 4,

    /// <summary>
    /// Client: what the server knows of a stream. All four requests are <c>stream arguments client protocol agent timeline(fixed 64) from
    /// formats(1 byte) action</c> (<see cref="RelayRequest"/>).
    /// </summary>
    Describe = 5,

    /// <summary>Client: send a stream's log.</summary>
    Play = 6,

    /// <summary>Client: take a stream's log.</summary>
    Publish = 7,

    /// <summary>
    /// Client: may a viewer play or a publisher publish? <c>from</c> is the question's number. A connection for it has any number of them, each
    /// answered by a <see cref="Verdict"/>, in whatever order.
    /// </summary>
    Authorize = 8,

    /// <summary>Server: the request is granted; its payload depends on the request. Behind that of <see cref="Describe"/> the server ends the connection.</summary>
    Accepted = 9,

    /// <summary>Either side: <c>reason</c>; nothing follows.</summary>
    Stop = 10,

    /// <summary>
    /// Either side, after a while without another message: nothing, or, the first 16 times and then each 5 s, <c>sent(fixed 64, microseconds of
    /// the sender's Unix time)</c>, which is to be answered. That, the answer, <see cref="Want"/> and <see cref="Fetch"/> are filled with zeros up to
    /// <see cref="RelayRules.WakeBytes"/>.
    /// </summary>
    Heartbeat = 11,

    /// <summary>
    /// Answers a heartbeat: <c>sent received answered</c>, fixed 64: the heartbeat's own time, and the answering side's when it came and when
    /// this is sent. One that comes less than 50 ms behind an answered one needs no answer.
    /// </summary>
    HeartbeatReply = 12,

    /// <summary>The receiver of media: <c>formats(1 byte)</c>, one bit for each form of HLS whose playlist state it needs.</summary>
    Want = 13,

    /// <summary>The receiver of media: <c>id name</c>: an HLS object by its file name.</summary>
    Fetch = 14,

    /// <summary>
    /// The sender of media: <c>id status length</c>, status as in HTTP; with 200 that many bytes follow in <see cref="ObjectData"/>.
    /// </summary>
    Object = 15,

    /// <summary>The sender of media: <c>id bytes</c>.</summary>
    ObjectData = 16,

    /// <summary>The sender of media: the state of a form's playlists at a number of the log.</summary>
    Playlists = 17,

    /// <summary>
    /// Server: answers <see cref="Authorize"/>: <c>number code lifetime reason</c>: 200, or why not (<see cref="RelayRefusalCode"/>), and for how
    /// many milliseconds that holds at most; 0: for as long as the client likes.
    /// </summary>
    Verdict = 18,

    /// <summary>The first message of the log: all that a receiver must know before the entry of the number in it.</summary>
    Start = 32,

    /// <summary>Entries go on behind those that the receiver has: <c>number</c>.</summary>
    Resume = 33,

    /// <summary>Entry: a new Era.</summary>
    Era = 34,

    /// <summary>Entry: a track's next Config.</summary>
    Config = 35,

    /// <summary>Entry: an access unit.</summary>
    Unit = 36,

    /// <summary>Entry: a packaging decision.</summary>
    Mark = 37,

    /// <summary>Entry: the publisher has gone, and may come back.</summary>
    Pause = 38,

    /// <summary>The stream's metadata, from the next entry on.</summary>
    Metadata = 39,

    /// <summary>
    /// The wall clock of media time, and now and then the way of the entry that follows: <c>epoch(fixed 64) count hop…</c>, and behind hops
    /// <c>protocol remote</c> of the publisher at the authority, empty where it is not known. A hop is <c>node arrived(fixed 64) offset(signed)
    /// roundtrip</c>, microseconds.
    /// </summary>
    Clock = 40,

    /// <summary>
    /// Entry: <c>timeline(fixed 64) before(fixed 64) end(signed) count node…</c>: another node decides from here on, the first of those that the log comes
    /// through.
    /// </summary>
    Fork = 41,

    /// <summary>The Timeline has ended: <c>reason</c>.</summary>
    Ended = 42,

    /// <summary>
    /// The sender has lost the node that it had the stream from, keeps it, and looks for another: so may the receiver. No more is said when
    /// it has found one: entries follow.
    /// </summary>
    Orphaned = 43,

    /// <summary>
    /// <c>count node…</c>: the nodes that the sender has the stream from now, the nearest first, up to 16. The answer to <see cref="Play"/> says it, and
    /// this when it has changed: a receiver that is one of them goes round in a circle.
    /// </summary>
    Above = 44,
}
