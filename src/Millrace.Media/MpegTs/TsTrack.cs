namespace Millrace.Media.MpegTs;

/// <summary>One elementary stream of a programme.</summary>
/// <param name="Codec">One that <see cref="TsMuxer.CanCarry(Codec)"/> names.</param>
/// <param name="Timescale">Ticks per second of the times given to <see cref="TsMuxer.Write"/>.</param>
/// <param name="Language">ISO 639-2 code of three letters; anything else is not announced.</param>
public sealed record TsTrack(Codec Codec, int Timescale, string? Language);
