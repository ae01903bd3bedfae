import type { Principal } from '../../../security/principal.ts';
import type { User } from '../../../security/user-store.ts';
import { namespaceOf } from '../vhost.ts';
import { badRequest, HttpError, missingKeys } from './http-error.ts';
import { isObject, type Json } from './json.ts';
import { MANAGEMENT_LIMITS } from './limits.ts';
import type { Management } from './management.ts';

/** Who asks. */
export interface Caller {
  readonly user: User;
  readonly principal: Principal;
}

/** A request as the web server hands it over. */
export interface RequestParts {
  readonly method: string;
  readonly address: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** The body's bytes as they come; null: none. */
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** One request: who asks, and what for. */
export class Call {
  readonly management: Management;
  readonly user: User;
  /** Whose rights are asked for. */
  readonly principal: Principal;
  readonly address: string;
  private readonly parts: RequestParts;

  constructor(management: Management, caller: Caller, parts: RequestParts) {
    this.management = management;
    this.user = caller.user;
    this.principal = caller.principal;
    this.address = parts.address;
    this.parts = parts;
  }

  get method(): string {
    return this.parts.method;
  }

  /** Whether the path names it. */
  has(name: string): boolean {
    return this.parts.params[name] !== undefined;
  }

  /** A part of the path, decoded. */
  param(name: string): string {
    return this.parts.params[name] ?? '';
  }

  get vhost(): string {
    return this.param('vhost');
  }

  get namespace(): string {
    return namespaceOf(this.vhost);
  }

  query(name: string): string | null {
    return this.parts.query.get(name);
  }

  isTrue(name: string): boolean {
    return this.query(name) === 'true';
  }

  header(name: string): string | undefined {
    return this.parts.header(name);
  }

  async text(bytesMax: number = MANAGEMENT_LIMITS.bodyBytesMax): Promise<string> {
    const { body } = this.parts;
    if (body === null) return '';
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        throw new HttpError(413, 'payload_too_large', `the body is above ${bytesMax} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  /** The body as a JSON object; none is an empty one. */
  async body(bytesMax?: number): Promise<Body> {
    const text = await this.text(bytesMax);
    if (text.trim() === '') return new Body({});
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw badRequest('not_json');
    }
    if (!isObject(json)) throw badRequest('not_json');
    return new Body(json);
  }
}

/** The members of a JSON body. A member that is something else than asked for is refused. */
export class Body {
  readonly json: Json;

  constructor(json: Json) {
    this.json = json;
  }

  /** Refuses a body that lacks one of them. */
  demand(...names: readonly string[]): void {
    const missing = names.filter((name) => this.json[name] === undefined);
    if (missing.length > 0) throw missingKeys(missing);
  }

  has(name: string): boolean {
    return (this.json[name] ?? null) !== null;
  }

  value(name: string): unknown {
    return this.json[name] ?? null;
  }

  text(name: string, fallback = ''): string {
    const value = this.json[name] ?? fallback;
    if (typeof value === 'string') return value;
    throw badRequest(`${name}: text expected`);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.json[name] ?? fallback;
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    throw badRequest(`${name}: true or false expected`);
  }

  integer(name: string, fallback: number): number {
    const given = this.json[name] ?? fallback;
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw badRequest(`${name}: an integer expected`);
  }

  /** [] stands for an empty object, as Erlang's encoders write it. */
  object(name: string): Json {
    const value = this.json[name] ?? {};
    if (Array.isArray(value) && value.length === 0) return {};
    if (isObject(value)) return value;
    throw badRequest(`${name}: an object expected`);
  }

  /** A list of texts, or one text with commas. */
  texts(name: string): readonly string[] {
    const value = this.json[name] ?? [];
    if (Array.isArray(value)) return value.map(String);
    if (typeof value !== 'string') throw badRequest(`${name}: a list or text with commas expected`);
    return value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }
}
