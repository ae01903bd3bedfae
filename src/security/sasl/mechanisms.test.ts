import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import type { SecurityOptions } from '../security.ts';
import type { CredentialsDecoder, SaslStep } from './mechanism.ts';
import { MECHANISM_NAMES, type SaslMechanisms } from './mechanisms.ts';

const LOCAL = { protocol: 'amqp', address: '127.0.0.1' };
const CERTIFICATE = { commonName: 'alice', distinguishedName: 'CN=alice,O=Example' };

let harness: CoreHarness;
let mechanisms: SaslMechanisms;

async function open(options: Partial<SecurityOptions> = {}): Promise<void> {
  harness = await CoreHarness.open({ security: { enabled: MECHANISM_NAMES, ...options } });
  const { security } = harness.broker;
  ({ mechanisms } = security);
  await security.users.put('alice', { password: { kind: 'text', text: 'secret' } });
  await security.users.put('CN=alice,O=Example', {});
}

beforeEach(() => open());
afterEach(() => harness.close());

/** All responses in order; the last step. */
function talk(name: string, responses: readonly (string | Buffer)[], decode?: CredentialsDecoder) {
  const peer = { ...LOCAL, certificate: CERTIFICATE };
  const exchange = mechanisms.start(name, peer, decode ?? null);
  assert(exchange !== null);
  let step: SaslStep | null = null;
  for (const response of responses) step = exchange.respond(Buffer.from(response));
  assert(step !== null);
  return step;
}

const success = (name: string) => ({ kind: 'success', principal: { type: 'User', name } });

describe('SaslMechanisms', () => {
  it('offers what can be used, in the order of the configuration', async () => {
    assert.deepEqual(mechanisms.offered(LOCAL), ['PLAIN', 'RABBIT-CR-DEMO']);
    const peer = { ...LOCAL, certificate: CERTIFICATE };
    assert.deepEqual(
      mechanisms.offered(peer, () => null),
      ['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'RABBIT-CR-DEMO'],
    );
    assert.equal(mechanisms.start('EXTERNAL', LOCAL), null);
    assert.equal(mechanisms.start('NONSENSE', LOCAL), null);
    await harness.close();
    await open({ enabled: ['RABBIT-CR-DEMO', 'PLAIN'] });
    assert.deepEqual(mechanisms.offered(LOCAL), ['RABBIT-CR-DEMO', 'PLAIN']);
  });

  it('PLAIN', () => {
    assert.deepEqual(talk('PLAIN', ['\0alice\0secret']), success('alice'));
    assert.deepEqual(talk('PLAIN', ['alice\0alice\0secret']), success('alice'));
    assert.equal(talk('PLAIN', ['bob\0alice\0secret']).kind, 'malformed');
    assert.equal(talk('PLAIN', ['\0alice\0wrong']).kind, 'refused');
    assert.equal(talk('PLAIN', ['\0alice']).kind, 'malformed');
    assert.equal(talk('PLAIN', ['\0alice\0secret\0']).kind, 'malformed');
    assert.equal(talk('PLAIN', ['']).kind, 'malformed');
  });

  it('AMQPLAIN, with a table that the protocol reads', () => {
    const decode = (bytes: Buffer) => ({ user: bytes.toString(), password: 'secret' });
    assert.deepEqual(talk('AMQPLAIN', ['alice'], decode), success('alice'));
    assert.equal(talk('AMQPLAIN', ['bob'], decode).kind, 'refused');
    assert.equal(talk('AMQPLAIN', ['bob'], () => null).kind, 'malformed');
  });

  it('RABBIT-CR-DEMO', () => {
    const challenge = talk('RABBIT-CR-DEMO', ['alice']);
    assert(challenge.kind === 'challenge');
    assert.equal(challenge.bytes.toString(), 'Please tell me your password');
    assert.deepEqual(talk('RABBIT-CR-DEMO', ['alice', 'My password is secret']), success('alice'));
    assert.equal(talk('RABBIT-CR-DEMO', ['alice', 'My password is wrong']).kind, 'refused');
    assert.equal(talk('RABBIT-CR-DEMO', ['alice', 'secret']).kind, 'malformed');
  });

  it('EXTERNAL', async () => {
    assert.deepEqual(talk('EXTERNAL', ['']), success('CN=alice,O=Example'));
    await harness.close();
    await open({ certificateName: 'common-name' });
    assert.deepEqual(talk('EXTERNAL', ['']), success('alice'));
    await harness.broker.security.deleteUser('alice');
    assert.equal(talk('EXTERNAL', ['']).kind, 'refused');
  });

  it('ANONYMOUS, when a user is set for it', async () => {
    assert.equal(mechanisms.start('ANONYMOUS', LOCAL), null);
    await harness.close();
    await open({ anonymousUser: 'alice' });
    assert.deepEqual(talk('ANONYMOUS', ['trace@example.com']), success('alice'));
  });

  it('takes any bytes without throwing, and lets nobody in for them', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(
        fc.constantFrom('PLAIN', 'AMQPLAIN', 'RABBIT-CR-DEMO'),
        fc.array(bytes, { minLength: 1, maxLength: 2 }),
        (name, responses) => {
          const exchange = mechanisms.start(name, LOCAL, () => null);
          for (const response of responses) {
            const step = exchange?.respond(Buffer.from(response));
            if (step?.kind !== 'challenge') {
              assert.notEqual(step?.kind, 'success');
              break;
            }
          }
        },
      ),
    );
  });
});
