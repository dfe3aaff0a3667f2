/** AMF0 reader for FLV script tags (AMF0 specification, chapter 2). Bounded: bad input gives undefined, never a throw. */

export type AmfValue = number | boolean | string | null | AmfObject | AmfValue[];
export interface AmfObject {
  readonly [key: string]: AmfValue;
}

const maxDepth = 8;
const maxEntries = 4096;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): AmfValue {
    if (depth > maxDepth) throw new RangeError('nested too deeply');
    const marker = this.#u8();
    switch (marker) {
      case 0:
        return this.#take(8, (at) => this.#view.getFloat64(at));
      case 1:
        return this.#u8() !== 0;
      case 2:
        return this.#text(this.#u16());
      case 3:
        return this.#object(depth);
      case 5: // null
      case 6: // undefined
        return null;
      case 8: // ECMA array: the count is only a hint
        this.#u32();
        return this.#object(depth);
      case 10: {
        const count = this.#u32();
        if (count > maxEntries) throw new RangeError('array too long');
        const list: AmfValue[] = [];
        for (let i = 0; i < count; i++) list.push(this.value(depth + 1));
        return list;
      }
      case 11: {
        const millis = this.#take(8, (at) => this.#view.getFloat64(at));
        this.#u16(); // time zone: reserved, always 0
        return millis;
      }
      case 12:
        return this.#text(this.#u32());
      default:
        throw new RangeError(`unknown marker ${marker}`);
    }
  }

  #object(depth: number): AmfObject {
    const entries: [string, AmfValue][] = [];
    for (let i = 0; i < maxEntries; i++) {
      const key = this.#text(this.#u16());
      if (key === '' && this.#bytes[this.offset] === 9) {
        this.offset++;
        return Object.fromEntries(entries);
      }
      entries.push([key, this.value(depth + 1)]);
    }
    throw new RangeError('object too long');
  }

  #text(length: number): string {
    return this.#take(length, (at) => new TextDecoder().decode(this.#bytes.subarray(at, at + length)));
  }

  #u8 = (): number => this.#take(1, (at) => this.#view.getUint8(at));
  #u16 = (): number => this.#take(2, (at) => this.#view.getUint16(at));
  #u32 = (): number => this.#take(4, (at) => this.#view.getUint32(at));

  #take<T>(length: number, read: (at: number) => T): T {
    const at = this.offset;
    if (at + length > this.#bytes.byteLength) throw new RangeError('truncated');
    this.offset = at + length;
    return read(at);
  }
}

/** A script tag's name and first value, or undefined when it is not well-formed AMF0. */
export function parseScriptTag(body: Uint8Array): { name: string; value: AmfValue } | undefined {
  try {
    const reader = new Reader(body);
    const name = reader.value(0);
    if (typeof name !== 'string') return undefined;
    return { name, value: reader.value(0) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
