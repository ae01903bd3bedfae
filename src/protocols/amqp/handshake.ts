import { CallbackTimeout } from '../../base/timer-wheel.ts';
import type { Place } from '../../core/namespace/usage.ts';
import type { SaslExchange, SaslStep } from '../../security/sasl/mechanism.ts';
import type { Peer } from '../../security/logins.ts';
import type { ArgumentReader } from './codec/argument-reader.ts';
import { readTable, tableGet, type FieldTable } from './codec/field-table.ts';
import {
  CONNECTION_CLOSE,
  CONNECTION_CLOSE_OK,
  CONNECTION_OPEN,
  CONNECTION_SECURE_OK,
  CONNECTION_START_OK,
  CONNECTION_TUNE_OK,
  CONNECTION_UPDATE_SECRET,
  readConnectionOpen,
  readConnectionSecureOk,
  readConnectionStartOk,
  readConnectionTuneOk,
  readConnectionUpdateSecret,
  writeConnectionCloseOk,
  writeConnectionOpenOk,
  writeConnectionSecure,
  writeConnectionStart,
  writeConnectionTune,
  writeConnectionUpdateSecretOk,
} from './codec/generated/connection.ts';
import { REPLY_CODE, type ReplyCode } from './codec/generated/reply-codes.ts';
import { detectProtocol, PROTOCOL_HEADER, PROTOCOL_HEADER_BYTES } from './codec/protocol-header.ts';
import type { AmqpConnection } from './connection.ts';
import { AmqpError, channelError, notAllowed } from './errors.ts';
import { serverProperties } from './server-properties.ts';
import { namespaceOf } from './vhost.ts';

/** The smallest frame a peer must take. */
const FRAME_BYTES_MIN = 4096;
/** The largest frame before the two have agreed on one; tokens that are passwords need some room. */
export const INITIAL_FRAME_BYTES_MAX = 8192;
/** Class of the connection's own methods. */
const CONNECTION_CLASS = 10;

/** What AMQPLAIN sends: the fields of a table without its length. */
function decodeAmqplain(bytes: Buffer): { user: string; password: string } | null {
  try {
    const table = readTable(bytes, 0, bytes.length);
    const user = tableGet(table, 'LOGIN')?.value;
    const password = tableGet(table, 'PASSWORD')?.value;
    return typeof user === 'string' && typeof password === 'string' ? { user, password } : null;
  } catch {
    return null;
  }
}

/**
 * From the protocol header to connection.open, and the methods of channel 0 after it:
 *
 *   header -> start-ok (-> secure-ok ...) -> tune-ok -> open -> over
 */
export class Handshake {
  private readonly owner: AmqpConnection;
  private expects: 'header' | 'start-ok' | 'secure-ok' | 'tune-ok' | 'open' | 'over' | 'refusal' =
    'header';
  private exchange: SaslExchange | null = null;
  private place: Place | null = null;

  constructor(owner: AmqpConnection) {
    this.owner = owner;
  }

  get waitsForHeader(): boolean {
    return this.expects === 'header';
  }

  /** Whether the client has shown who it is, and so is told what goes wrong. While it tunes, only what it may not ask for. */
  mayExplain(code: ReplyCode): boolean {
    if (this.expects === 'tune-ok') return code === REPLY_CODE.NOT_ALLOWED;
    return this.expects === 'open' || this.expects === 'over';
  }

  /** Gives the place among the connections back. */
  release(): void {
    this.place?.release();
    this.place = null;
  }

  /** Bytes used; 0: more are needed; -1: the connection ends. */
  onHeader(buffer: Buffer, start: number, end: number): number {
    const { owner } = this;
    switch (detectProtocol(buffer, start, end)) {
      case 'incomplete':
        return 0;
      case 'amqp-0-9-1':
      case 'amqp-0-9':
        this.expects = 'start-ok';
        this.sendStart();
        return PROTOCOL_HEADER_BYTES;
      default: {
        const { logger } = owner.services.broker;
        const peer = owner.name;
        logger.info('amqp.other-protocol', 'a client does not speak AMQP 0-9-1', { peer });
        owner.connection.write(PROTOCOL_HEADER, 0, PROTOCOL_HEADER_BYTES);
        owner.drop();
        return -1;
      }
    }
  }

  onMethod(id: number, reader: ArgumentReader): void {
    if (id === CONNECTION_CLOSE) {
      writeConnectionCloseOk(this.owner.startOutput(), 0);
      this.owner.drop();
      return;
    }
    switch (this.expects) {
      case 'start-ok':
        if (id === CONNECTION_START_OK) this.onStartOk(reader);
        else this.outOfPlace('starting');
        break;
      case 'secure-ok':
        if (id === CONNECTION_SECURE_OK) this.advance(readConnectionSecureOk(reader).response);
        else this.outOfPlace('securing');
        break;
      case 'tune-ok':
        if (id === CONNECTION_TUNE_OK) this.onTuneOk(reader);
        else this.outOfPlace('tuning');
        break;
      case 'open':
        if (id === CONNECTION_OPEN) this.onOpen(readConnectionOpen(reader).virtualHost);
        else this.outOfPlace('opening');
        break;
      case 'over':
        if (id === CONNECTION_UPDATE_SECRET) this.onUpdateSecret(reader);
        else this.outOfPlace('running');
        break;
      default:
    }
  }

  onMethodWhileClosing(id: number): void {
    if (id !== CONNECTION_CLOSE && id !== CONNECTION_CLOSE_OK) return;
    if (id === CONNECTION_CLOSE) writeConnectionCloseOk(this.owner.startOutput(), 0);
    this.owner.drop();
  }

  private sendStart(): void {
    const { owner } = this;
    const { config, broker } = owner.services;
    writeConnectionStart(owner.startOutput(), 0, {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: serverProperties(config, broker.clusterId),
      mechanisms: broker.security.mechanisms.offered(this.peer(), decodeAmqplain).join(' '),
      locales: 'en_US',
    });
  }

  private onStartOk(reader: ArgumentReader): void {
    const { owner } = this;
    const { clientProperties, mechanism, response } = readConnectionStartOk(reader);
    owner.clientProperties = clientProperties;
    owner.capabilities = capabilitiesOf(clientProperties);
    owner.mechanism = mechanism;
    const { mechanisms } = owner.services.broker.security;
    this.exchange = mechanisms.start(mechanism, this.peer(), decodeAmqplain);
    if (this.exchange === null) {
      throw new AmqpError(
        REPLY_CODE.COMMAND_INVALID,
        `unknown authentication mechanism '${mechanism}'`,
      );
    }
    this.advance(response);
  }

  private advance(response: Buffer): void {
    const step = this.exchange?.respond(response);
    if (step === undefined) return;
    switch (step.kind) {
      case 'challenge':
        this.expects = 'secure-ok';
        writeConnectionSecure(this.owner.startOutput(), 0, { challenge: step.bytes });
        break;
      case 'success':
        this.authenticated(step.principal);
        break;
      case 'refused':
        this.refuse(step);
        break;
      case 'malformed':
        throw new AmqpError(REPLY_CODE.SYNTAX_ERROR, step.message);
    }
  }

  private authenticated(principal: Extract<SaslStep, { kind: 'success' }>['principal']): void {
    const { owner } = this;
    const { config } = owner.services;
    owner.principal = principal;
    owner.user = principal.name;
    this.exchange = null;
    this.expects = 'tune-ok';
    writeConnectionTune(owner.startOutput(), 0, {
      channelMax: config.channelMax,
      frameMax: config.frameBytesMax,
      heartbeatSeconds: config.heartbeatSeconds,
    });
  }

  /** Says so only to clients that expect it, and after a while: guessing shall take time. */
  private refuse(step: Extract<SaslStep, { kind: 'refused' }>): void {
    const { owner } = this;
    const { broker } = owner.services;
    this.expects = 'refusal';
    broker.logger.warn('amqp.login-refused', step.reason, { peer: owner.name, user: step.user });
    const answer = new CallbackTimeout(() => {
      if (owner.phase !== 'handshake') return;
      if (owner.capabilities.authenticationFailureClose) {
        owner.currentMethod = 0;
        owner.close(
          REPLY_CODE.ACCESS_REFUSED,
          `ACCESS_REFUSED - Login was refused using authentication mechanism ${owner.mechanism}. ` +
            'For details see the broker logfile.',
        );
      } else {
        owner.drop();
      }
    });
    if (step.delayMs > 0) broker.timers.start(answer, step.delayMs);
    else answer.onTimeout();
  }

  private onTuneOk(reader: ArgumentReader): void {
    const { owner } = this;
    const { config } = owner.services;
    const { channelMax, frameMax, heartbeatSeconds } = readConnectionTuneOk(reader);
    checkNegotiated('frame_max', frameMax, { min: FRAME_BYTES_MIN, max: config.frameBytesMax });
    checkNegotiated('channel_max', channelMax, { min: 1, max: config.channelMax });
    owner.scanner.frameBytesMax = frameMax === 0 ? config.frameBytesMax : frameMax;
    owner.channelMax = channelMax === 0 ? config.channelMax : channelMax;
    owner.heartbeatSeconds = heartbeatSeconds;
    this.expects = 'open';
  }

  private onOpen(vhost: string): void {
    const { owner } = this;
    const { namespaces, security, usage } = owner.services.broker;
    const namespace = namespaceOf(vhost);
    if (!namespaces.has(namespace)) throw notAllowed(`vhost ${vhost} not found`);
    if (!security.authorizer.mayEnter(owner.principal, namespace)) {
      throw notAllowed(`access to vhost '${vhost}' refused for user '${owner.user}'`);
    }
    const place = usage.openConnection(owner.user, namespace);
    if (place.status === 'refused') {
      throw notAllowed(
        place.scope === 'namespace'
          ? `access to vhost '${vhost}' refused for user '${owner.user}': connection limit (${place.limit}) is reached`
          : `Connection refused for user '${owner.user}': user connection limit (${place.limit}) is reached`,
      );
    }
    this.place = place;
    owner.vhost = vhost;
    owner.namespace = namespace;
    this.expects = 'over';
    writeConnectionOpenOk(owner.startOutput(), 0);
    owner.opened();
  }

  /** A fresh password, for mechanisms whose credentials expire. */
  private onUpdateSecret(reader: ArgumentReader): void {
    const { owner } = this;
    const { newSecret } = readConnectionUpdateSecret(reader);
    const { logins } = owner.services.broker.security;
    const outcome = logins.checkPassword(owner.user, newSecret, this.peer());
    // RabbitMQ's own users have no secret that could be renewed: whatever is said is taken.
    if (outcome.status === 'refused') {
      const { logger } = owner.services.broker;
      logger.info('amqp.secret-ignored', 'a client renewed a secret that is not its password', {
        peer: owner.name,
      });
    }
    writeConnectionUpdateSecretOk(owner.startOutput(), 0);
  }

  private outOfPlace(state: string): void {
    const known = this.owner.currentMethod >>> 16 === CONNECTION_CLASS;
    if (this.expects !== 'over' && !known) {
      throw channelError(`unexpected method in connection state ${state}`);
    }
    throw channelError(`unexpected method in connection state ${state}`);
  }

  private peer(): Peer {
    const { remoteAddress } = this.owner.connection;
    return { protocol: 'amqp', address: remoteAddress };
  }
}

/** 0 is no limit: only allowed when the broker has none. */
function checkNegotiated(
  name: string,
  value: number,
  bounds: { readonly min: number; readonly max: number },
): void {
  const { min, max } = bounds;
  if (value !== 0 && value < min) {
    throw notAllowed(
      `negotiated ${name} = ${value} is lower than the minimum allowed value (${min})`,
    );
  }
  if (max > 0 && value > max) {
    throw notAllowed(
      `negotiated ${name} = ${value} is higher than the maximum allowed value (${max})`,
    );
  }
}

function capabilitiesOf(clientProperties: FieldTable): AmqpConnection['capabilities'] {
  const field = tableGet(clientProperties, 'capabilities');
  const table: FieldTable = field?.type === 'F' ? field.value : [];
  const has = (name: string): boolean => tableGet(table, name)?.value === true;
  return {
    consumerCancelNotify: has('consumer_cancel_notify'),
    connectionBlocked: has('connection.blocked'),
    authenticationFailureClose: has('authentication_failure_close'),
  };
}
