import { describe, expect, it } from 'vitest';
import { codecLists, trackList } from './hlsTracks';

const english = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English, loud",LANGUAGE="en",DEFAULT=YES,URI="chunklist_1_audio_k1_llhls.m3u8"';
const variant = (codecs: string, rest = '') => `#EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="${codecs}",RESOLUTION=640x360${rest}\nchunklist_0_video_k1_llhls.m3u8`;
const playlist = (...lines: string[]) => ['#EXTM3U', '#EXT-X-VERSION:10', ...lines, ''].join('\n');
const withAudio = playlist(english, variant('avc1.64001f,mp4a.40.2', ',AUDIO="a"'));

describe('trackList', () => {
  it('is the same after a change of parameters, of the codec and of the chunklists', () => {
    const later = playlist(variant('hvc1.1.6.L93.B0,opus', ',AUDIO="a"'), english.replace('k1', 'k2')).replace('2000000', '900000').replace('640x360', '1280x720');
    expect(trackList(later)).toBe(trackList(withAudio));
    expect(trackList(later.replaceAll('\n', '\r\n'))).toBe(trackList(withAudio));
  });
  it('tells tracks that came or went', () => {
    const videoOnly = playlist(variant('avc1.64001f'));
    const german = english.replace('English', 'Deutsch').replace('"en"', '"de"');
    const two = playlist(english, german, variant('avc1.64001f,mp4a.40.2', ',AUDIO="a"'));
    const audioOnly = playlist(english, variant('mp4a.40.2', ',AUDIO="a"'));
    expect(new Set([withAudio, videoOnly, two, audioOnly, playlist(german, variant('avc1.64001f,mp4a.40.2'))].map(trackList)).size).toBe(5);
  });
});

it('codecLists has the codecs of each variant', () => {
  expect(codecLists(playlist(english, variant('avc1.64001f,mp4a.40.2', ',AUDIO="a"'), variant('hvc1.1.6.L93.B0')))).toEqual(['avc1.64001f,mp4a.40.2', 'hvc1.1.6.L93.B0']);
});
