/**
 * Between the network and mpegts.js: an FLV stream goes in byte by byte, whole tags come out, with
 *  - timestamps moved so that the first frame is at `leadMillis`: a timeline that has run for more than 24.8 days has
 *    timestamps beyond 2^31 ms, which mpegts.js reads as negative;
 *  - the enhanced forms of H.264 and AAC, which mpegts.js does not know, in their legacy form;
 *  - tags left out that mpegts.js stops at or misreads (colour metadata, multitrack, unknown script data).
 * FLV: Adobe Flash Video File Format 10.1, annex E. Enhanced tags: Enhanced RTMP v2.
 */

import { parseScriptTag, type AmfObject } from './amf';
import { enhancedAudio, enhancedVideo, legacyAudio, legacyVideo, type Codec } from './codecs';

/** Room below the first frame for a second track that begins a little earlier. */
export const leadMillis = 10_000;

const headerBytes = 13; // FLV header (9) + PreviousTagSize0
const tagHeaderBytes = 11;
const trailerBytes = 4;

export interface FlvEvents {
  onTimeline?(value: AmfObject): void;
  onCodec?(codec: Codec): void;
  /** A frame; `millis` is its decode time on the rebased scale that mpegts.js sees. */
  onFrame?(kind: 'audio' | 'video', millis: number, key: boolean): void;
}

export class FlvFormatError extends Error {}

type Verdict = 'drop' | 'pass' | Uint8Array;

export class FlvReader {
  readonly #events: FlvEvents;
  #buffer = new Uint8Array(64 * 1024);
  #used = 0;
  #headerSeen = false;
  /** The first frame's timestamp as sent: unsigned milliseconds. */
  #firstTimestamp: number | undefined;

  constructor(events: FlvEvents) {
    this.#events = events;
  }

  /** Milliseconds to add to a rebased timestamp to get the sender's; undefined before the first frame. */
  get shiftMillis(): number | undefined {
    return this.#firstTimestamp === undefined ? undefined : this.#firstTimestamp - leadMillis;
  }

  /** Takes the next bytes; returns the whole tags they complete, in a buffer of their own, or undefined. */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    this.#append(chunk);
    const output = new Uint8Array(this.#used);
    let read = 0;
    let written = 0;

    if (!this.#headerSeen) {
      if (this.#used < headerBytes) return undefined;
      if (this.#buffer[0] !== 0x46 || this.#buffer[1] !== 0x4c || this.#buffer[2] !== 0x56) throw new FlvFormatError('not an FLV stream');
      this.#headerSeen = true;
      output.set(this.#buffer.subarray(0, headerBytes));
      read = written = headerBytes;
    }

    while (this.#used - read >= tagHeaderBytes) {
      const size = this.#u24(read + 1);
      const end = read + tagHeaderBytes + size + trailerBytes;
      if (end > this.#used) break;
      written = this.#tag(read, size, output, written);
      read = end;
    }

    this.#buffer.copyWithin(0, read, this.#used);
    this.#used -= read;
    return written === 0 ? undefined : output.slice(0, written);
  }

  #append(chunk: Uint8Array): void {
    if (this.#used + chunk.length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#used + chunk.length));
      larger.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#used);
    this.#used += chunk.length;
  }

  #tag(at: number, size: number, output: Uint8Array, written: number): number {
    const type = this.#byte(at) & 31; // the upper bits are the filter (encryption) and reserved
    const sent = ((this.#byte(at + 7) << 24) | this.#u24(at + 4)) >>> 0;
    const body = this.#buffer.subarray(at + tagHeaderBytes, at + tagHeaderBytes + size);

    let verdict: Verdict = 'drop';
    if (type === 9) verdict = this.#video(body, sent);
    else if (type === 8) verdict = this.#audio(body, sent);
    else if (type === 18) verdict = this.#script(body);
    if (verdict === 'drop') return written;

    const data = verdict === 'pass' ? body : verdict;
    const millis = this.#rebase(sent);
    output.set(
      [type, data.length >> 16, data.length >> 8, data.length, millis >> 16, millis >> 8, millis, millis >>> 24, 0, 0, 0],
      written,
    );
    output.set(data, written + tagHeaderBytes);
    const total = tagHeaderBytes + data.length;
    output.set([total >> 24, total >> 16, total >> 8, total], written + total);
    return written + total + trailerBytes;
  }

  /** Wrap-safe: the distance to the first frame is taken modulo 2^32. */
  #rebase(sent: number): number {
    if (this.#firstTimestamp === undefined) return 0;
    return Math.max(0, ((sent - this.#firstTimestamp) | 0) + leadMillis);
  }

  #frame(kind: 'audio' | 'video', sent: number, key: boolean): void {
    this.#firstTimestamp ??= sent;
    this.#events.onFrame?.(kind, this.#rebase(sent), key);
  }

  #video(body: Uint8Array, sent: number): Verdict {
    if (body.length < 5) return 'drop';
    const first = body[0] ?? 0;
    const key = ((first >> 4) & 7) === 1;
    if ((first & 0x80) === 0) {
      if (((first >> 4) & 7) === 5) return 'drop'; // video info / command frame
      if (body[1] === 0) this.#events.onCodec?.(legacyVideo(first & 15, body.subarray(5)));
      else if (body[1] === 1) this.#frame('video', sent, key);
      return 'pass';
    }
    const packet = first & 15;
    const fourCc = text(body, 1);
    if (((first >> 4) & 7) === 5 || packet > 3) return 'drop'; // command frame, metadata, MPEG-2 TS start, multitrack, ModEx
    if (packet === 0) this.#events.onCodec?.(enhancedVideo(fourCc, body.subarray(5)));
    else if (packet !== 2) this.#frame('video', sent, key);
    return fourCc === 'avc1' ? legacyAvc(body, packet) : 'pass';
  }

  #audio(body: Uint8Array, sent: number): Verdict {
    if (body.length < 2) return 'drop';
    const first = body[0] ?? 0;
    const format = first >> 4;
    if (format !== 9) {
      const config = format === 10 && body[1] === 0;
      if (config || format !== 10) this.#events.onCodec?.(legacyAudio(format));
      if (!config) this.#frame('audio', sent, false);
      return 'pass';
    }
    const packet = first & 15;
    if (body.length < 5 || packet > 2) return 'drop'; // multichannel config, multitrack, ModEx
    const fourCc = text(body, 1);
    if (packet === 0) this.#events.onCodec?.(enhancedAudio(fourCc));
    else if (packet === 1) this.#frame('audio', sent, false);
    if (fourCc !== 'mp4a') return 'pass';
    // AudioTagHeader of AAC: SoundFormat 10, 44 kHz, 16 bit, stereo (fixed for AAC), then AACPacketType.
    return packet === 2 ? 'drop' : concat([0xaf, packet], body.subarray(5));
  }

  #script(body: Uint8Array): Verdict {
    const tag = parseScriptTag(body);
    if (tag?.name === 'onMetaData') return 'pass';
    if (tag?.name === 'onTimeline' && isObject(tag.value)) this.#events.onTimeline?.(tag.value);
    return 'drop';
  }

  #byte = (at: number): number => this.#buffer[at] ?? 0;
  #u24 = (at: number): number => (this.#byte(at) << 16) | (this.#byte(at + 1) << 8) | this.#byte(at + 2);
}

/** VideoTagHeader of AVC: FrameType and CodecID 7, AVCPacketType, CompositionTime. */
function legacyAvc(body: Uint8Array, packet: number): Uint8Array {
  const first = ((body[0] ?? 0) & 0x70) | 7;
  // CodedFrames (1) carries its composition time after the FourCC, CodedFramesX (3) means 0.
  if (packet === 1) return concat([first, 1], body.subarray(5));
  return concat([first, packet === 3 ? 1 : packet, 0, 0, 0], body.subarray(5));
}

function concat(head: readonly number[], tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

const text = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

const isObject = (value: unknown): value is AmfObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
