import { malformed, stepOf, utf8Text, type SaslMechanism } from './mechanism.ts';

const CHALLENGE = 'Please tell me your password';
const PREFIX = Buffer.from('My password is ');

/** RabbitMQ's demonstration of a mechanism with a challenge: no safer than PLAIN. */
export const RABBIT_CR_DEMO: SaslMechanism = {
  name: 'RABBIT-CR-DEMO',
  isUsable: () => true,
  start({ logins, peer }) {
    let user: string | null = null;
    return {
      respond(response) {
        if (user === null) {
          user = utf8Text(response);
          if (user === null) return malformed('the name is not UTF-8');
          return { kind: 'challenge', bytes: Buffer.from(CHALLENGE) };
        }
        if (!response.subarray(0, PREFIX.length).equals(PREFIX)) {
          return malformed(`'${PREFIX.toString()}...' expected`);
        }
        const password = Buffer.from(response.subarray(PREFIX.length));
        return stepOf(logins.checkPassword(user, password, peer));
      },
    };
  },
};
