import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate that its own key signed, as PEM texts; good for localhost and 127.0.0.1 for a day. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a self-signed certificate with Node alone (X.509 v3, RFC 5280; ECDSA on P-256 with SHA-256).
 *
 *   Certificate = SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 */
export function selfSigned(commonName = 'localhost'): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaSha256 = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
  const name = sequence(set(sequence(oid([0x55, 0x04, 0x03]), utf8(commonName))));
  const dayMs = 24 * 60 * 60 * 1000;
  const alternativeNames = sequence(
    tagged(0x82, Buffer.from('localhost')),
    tagged(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const extensions = sequence(
    sequence(oid([0x55, 0x1d, 0x11]), tagged(0x04, alternativeNames)),
    sequence(oid([0x55, 0x1d, 0x13]), tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff]))))),
  );
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ecdsaSha256,
    name,
    sequence(utcTime(new Date(Date.now() - dayMs)), utcTime(new Date(Date.now() + dayMs))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const der = sequence(
    toBeSigned,
    ecdsaSha256,
    tagged(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function set(content: Buffer): Buffer {
  return tagged(0x31, content);
}

function oid(encoded: number[]): Buffer {
  return tagged(0x06, Buffer.from(encoded));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text));
}

function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}
