/** mpegts.js loader of our own: HTTP or WebSocket in, whole rebased FLV tags out. See flv.ts. */

import mpegts from 'mpegts.js';
import { FlvFormatError, type FlvReader } from './flv';

export interface LoaderHooks {
  readonly reader: FlvReader;
  onBytes(count: number): void;
  onStatus(status: number): void;
}

/** What mpegts.js reads and sets on a loader; its type definitions leave the status constants' type open. */
interface LoaderInternals {
  _status: number;
  _needStash: boolean;
}

const { kIdle, kConnecting, kBuffering, kError, kComplete } = mpegts.LoaderStatus;

export function createLoaderClass(hooks: LoaderHooks): mpegts.CustomLoaderConstructor {
  return class FlvLoader extends mpegts.BaseLoader {
    #abort: AbortController | undefined;
    #socket: WebSocket | undefined;
    #delivered = 0;

    constructor() {
      super('millrace-flv');
      const internals: LoaderInternals = this;
      internals._needStash = false;
    }

    override destroy(): void {
      if (this.isWorking()) this.abort();
      super.destroy();
    }

    override open(source: mpegts.MediaSegment): void {
      this._status = kConnecting;
      if (source.url.startsWith('ws')) this.#openSocket(source.url);
      else void this.#openFetch(source.url);
    }

    override abort(): void {
      this.#abort?.abort();
      if (this.#socket !== undefined) {
        this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
        this.#socket.close();
      }
      this._status = kIdle;
    }

    async #openFetch(url: string): Promise<void> {
      const abort = (this.#abort = new AbortController());
      try {
        const reply = await fetch(url, { cache: 'no-store', signal: abort.signal });
        hooks.onStatus(reply.status);
        if (abort.signal.aborted) return;
        if (!reply.ok || reply.body === null) {
          abort.abort();
          this.#fail(mpegts.LoaderErrors.HTTP_STATUS_CODE_INVALID, reply.status, reply.statusText);
          return;
        }
        this._status = kBuffering;
        const body = reply.body.getReader();
        for (;;) {
          const { done, value } = await body.read();
          if (abort.signal.aborted) return;
          if (done) break;
          this.#deliver(value);
        }
        this.#complete();
      } catch (error) {
        if (!abort.signal.aborted) this.#fail(mpegts.LoaderErrors.EXCEPTION, -1, String(error));
      }
    }

    #openSocket(url: string): void {
      const socket = (this.#socket = new WebSocket(url));
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => {
        this._status = kBuffering;
      };
      socket.onmessage = (message: MessageEvent<unknown>) => {
        if (!(message.data instanceof ArrayBuffer)) return;
        try {
          this.#deliver(new Uint8Array(message.data));
        } catch (error) {
          if (!(error instanceof FlvFormatError)) throw error;
          socket.close();
          this.#fail(mpegts.LoaderErrors.EXCEPTION, -1, error.message);
        }
      };
      socket.onerror = () => {
        socket.onclose = null;
        this.#fail(mpegts.LoaderErrors.EXCEPTION, -1, 'WebSocket failed');
      };
      socket.onclose = () => this.#complete();
    }

    #deliver(bytes: Uint8Array): void {
      hooks.onBytes(bytes.length);
      const tags = hooks.reader.push(bytes);
      if (tags === undefined) return;
      const start = this.#delivered;
      this.#delivered += tags.length;
      this.onDataArrival(tags.buffer, start, this.#delivered);
    }

    #complete(): void {
      this._status = kComplete;
      this.onComplete(0, this.#delivered - 1);
    }

    #fail(type: unknown, code: number, msg: string): void {
      this._status = kError;
      this.onError(type as mpegts.LoaderErrors, { code, msg });
    }
  } as unknown as mpegts.CustomLoaderConstructor;
}
