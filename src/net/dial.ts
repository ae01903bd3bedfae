import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { LyrebirdError } from '../base/errors.ts';

/** What a client uses for TLS; PEM texts. */
export interface DialTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate will do. */
  readonly verify: boolean;
}

export interface DialSettings {
  readonly tls: DialTls | null;
  readonly timeoutMs: number;
}

/** A connected socket, for a client. Rejects with LB6001 or LB6002; what becomes of it later is the caller's. */
export function dial(host: string, port: number, settings: DialSettings): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { tls } = settings;
    const options: ConnectionOptions = { host, port };
    if (tls !== null) {
      options.rejectUnauthorized = tls.verify;
      if (!/^[\d.]+$|:/.test(host)) options.servername = host;
      if (tls.ca !== undefined) options.ca = tls.ca;
      if (tls.cert !== undefined) options.cert = tls.cert;
      if (tls.key !== undefined) options.key = tls.key;
    }
    const socket = tls === null ? connectTcp({ host, port }) : connectTls(options);
    const address = `${host}:${port}`;
    const opened = tls === null ? 'connect' : 'secureConnect';
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      socket.off(opened, onOpen).off('error', onError);
      if (error === null) return resolve(socket);
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onOpen = (): void => settle(null);
    const onError = (error: Error): void => settle(unreachable(address, error));
    const timer = setTimeout(
      () => settle(notAnswered('the connection attempt', address)),
      settings.timeoutMs,
    );
    socket.once(opened, onOpen).once('error', onError);
  });
}

function unreachable(address: string, cause: unknown): LyrebirdError {
  const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
  return new LyrebirdError('LB6001', `cannot reach ${address}: ${reason}`, { cause });
}

export function connectionLost(address: string, cause?: unknown): LyrebirdError {
  return new LyrebirdError('LB6001', `connection to ${address} was lost`, { cause });
}

export function notAnswered(what: string, address: string): LyrebirdError {
  return new LyrebirdError('LB6002', `${address} did not answer ${what} in time`);
}
