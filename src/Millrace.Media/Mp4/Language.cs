namespace Millrace.Media.Mp4;

/// <summary>mdhd's language (ISO/IEC 14496-12 8.4.2.3).</summary>
internal static class Language
{
    private const int Undetermined = (('u' - 0x60) << 10) | (('n' - 0x60) << 5) | ('d' - 0x60);

    /// <summary>ISO 639-1 and the ISO 639-2/T code of the same language, in order.</summary>
    private const string Pairs =
        "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bibis bmbam bnben bobod brbre bsbos "
        + "cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan dedeu dvdiv dzdzo eeewe elell eneng eoepo esspa etest eueus "
        + "fafas ffful fifin fjfij fofao frfra fyfry gagle gdgla glglg gngrn guguj gvglv hahau heheb hihin hohmo hrhrv hthat huhun hyhye hzher "
        + "iaina idind ieile igibo iiiii ikipk ioido isisl itita iuiku jajpn jvjav kakat kgkon kikik kjkua kkkaz klkal kmkhm knkan kokor "
        + "krkau kskas kukur kvkom kwcor kykir lalat lbltz lglug lilim lnlin lolao ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon "
        + "mrmar msmsa mtmlt mymya nanau nbnob ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs papan "
        + "pipli plpol pspus ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd sesme sgsag sisin skslk slslv smsmo snsna sosom "
        + "sqsqi srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk tltgl tntsn toton trtur tstso tttat twtwi tytah "
        + "uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid yoyor zazha zhzho zuzul ";

    /// <summary>Three letters of five bits each.</summary>
    /// <param name="tag">
    /// A BCP 47 tag, of which the language counts (two letters of ISO 639-1 or three of ISO 639-2/T), in any case. Else "und".
    /// </param>
    public static int Pack(string? tag)
    {
        ReadOnlySpan<char> language = tag;
        int end = language.IndexOfAny('-', '_');
        if (end >= 0)
            language = language[..end];
        if (language.Length is not (2 or 3))
            return Undetermined;

        Span<char> code = stackalloc char[3];
        for (int i = 0; i < language.Length; i++)
        {
            code[i] = char.ToLowerInvariant(language[i]);
            if (!char.IsAsciiLetterLower(code[i]))
                return Undetermined;
        }

        if (language.Length == 2 && !TryWiden(code))
            return Undetermined;
        return ((code[0] - 0x60) << 10) | ((code[1] - 0x60) << 5) | (code[2] - 0x60);
    }

    private static bool TryWiden(Span<char> code)
    {
        const int EntryLength = 6;
        for (int at = 0; at < Pairs.Length; at += EntryLength)
        {
            if (Pairs[at] == code[0] && Pairs[at + 1] == code[1])
            {
                Pairs.AsSpan(at + 2, 3).CopyTo(code);
                return true;
            }
        }

        return false;
    }
}
