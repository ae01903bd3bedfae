import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { LyrebirdError } from '../base/errors.ts';

/** Where a listener's certificate comes from: PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Clients must show a certificate signed by one of these authorities. */
  readonly clientCaFile?: string;
}

/** PEM texts, as node:tls takes them. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

/** Reads and checks the files. Rejects with LB4001. */
export async function loadTlsMaterial(files: TlsFiles): Promise<TlsMaterial> {
  const cert = await readPem(files.certFile, 'certificate');
  const key = await readPem(files.keyFile, 'key');
  const ca =
    files.clientCaFile === undefined ? null : await readPem(files.clientCaFile, 'client authority');
  const material: TlsMaterial = ca === null ? { cert, key } : { cert, key, ca };
  try {
    createSecureContext(contextOptions(material));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LyrebirdError(
      'LB4001',
      `certificate ${files.certFile} and key ${files.keyFile} cannot be used: ${why}`,
      { cause, details: { ...files } },
    );
  }
  return material;
}

export function contextOptions(material: TlsMaterial): SecureContextOptions {
  return { ...material, minVersion: 'TLSv1.2' };
}

/** When the certificate ends, ms since the Unix epoch. */
export function certificateExpiryMs({ cert }: TlsMaterial): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

async function readPem(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LyrebirdError('LB4001', `the ${what} file cannot be read: ${why}`, {
      cause,
      details: { path },
    });
  }
}
