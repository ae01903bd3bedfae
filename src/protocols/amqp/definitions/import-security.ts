import type { NamespaceLimits } from '../../../core/namespace/namespace-store.ts';
import type { ApplyTo, Policy } from '../../../core/policy/policy-types.ts';
import type { Arguments } from '../../../core/queue-types.ts';
import type { ChangeOutcome } from '../../../security/outcome.ts';
import type { HashAlgorithm } from '../../../security/password.ts';
import type { NewPassword } from '../../../security/user-store.ts';
import { Entry } from './entry.ts';
import type { EntryImporter } from './importer.ts';

const ALGORITHMS: Readonly<Record<string, HashAlgorithm>> = {
  rabbit_password_hashing_sha256: 'sha256',
  rabbit_password_hashing_sha512: 'sha512',
  rabbit_password_hashing_md5: 'md5',
};

export const importUser: EntryImporter = async ({ ports, version }, entry) => {
  const limits = entry.object('limits');
  const outcome = await ports.broker.security.users.put(entry.text('name'), {
    password: passwordOf(entry, version),
    tags: entry.texts('tags'),
    limits: {
      maxConnections: limitOf(entry, limits, 'max-connections'),
      maxChannels: limitOf(entry, limits, 'max-channels'),
    },
  });
  return taken(entry, outcome);
};

export const importVhost: EntryImporter = async ({ ports }, entry) => {
  const vhost = new Entry(
    { vhost: entry.text('name') },
    { section: entry.section, index: entry.index, target: null },
  );
  const { description, tags, default_queue_type: metadataType, ...rest } = entry.object('metadata');
  const type = entry.value('default_queue_type') ?? metadataType;
  const hasTags = entry.has('tags') || tags === undefined;
  const outcome = await ports.broker.namespaces.put(vhost.namespace, {
    description: entry.text('description', typeof description === 'string' ? description : ''),
    tags: hasTags ? entry.texts('tags') : Array.isArray(tags) ? tags.map(String) : [],
    defaultQueueType: typeof type === 'string' && !['', 'undefined'].includes(type) ? type : null,
    metadata: rest,
    ...(entry.has('tracing') ? { tracing: entry.flag('tracing', false) } : {}),
  });
  return taken(entry, outcome);
};

export const importPermission: EntryImporter = async ({ ports }, entry) => {
  const outcome = await ports.broker.security.permissions.set({
    namespace: entry.namespace,
    user: entry.text('user'),
    configure: entry.text('configure'),
    write: entry.text('write'),
    read: entry.text('read'),
  });
  return takenOrOrphan(entry, outcome);
};

export const importTopicPermission: EntryImporter = async ({ ports }, entry) => {
  const outcome = await ports.broker.security.permissions.setTopic({
    namespace: entry.namespace,
    user: entry.text('user'),
    exchange: entry.text('exchange'),
    write: entry.text('write'),
    read: entry.text('read'),
  });
  return takenOrOrphan(entry, outcome);
};

export const importGlobalParameter: EntryImporter = async ({ ports }, entry) => {
  const outcome = await ports.broker.parameters.setGlobal(entry.text('name'), entry.json('value'));
  return taken(entry, outcome);
};

/** Operator policies and limits of virtual hosts travel among the parameters. */
export const importParameter: EntryImporter = async ({ ports }, entry) => {
  const { namespace } = entry;
  const { policies, namespaces, parameters } = ports.broker;
  const component = entry.text('component');
  if (component === 'operator_policy' || component === 'policy') {
    const value = { ...entry.object('value'), name: entry.text('name') };
    const kind = component === 'policy' ? 'policy' : 'operator-policy';
    const { section, index } = entry;
    const inner = new Entry(value, { section, index, target: namespace });
    return taken(entry, await policies.set(kind, policyOf(inner)));
  }
  if (component === 'vhost-limits') {
    if (!namespaces.has(namespace)) {
      return taken(entry, { status: 'unknown', what: 'namespace' });
    }
    const limits = namespaceLimits(entry, entry.object('value'));
    return taken(entry, await namespaces.put(namespace, { limits }));
  }
  const name = entry.text('name');
  const outcome = await parameters.set({ namespace, component, name, value: entry.json('value') });
  return taken(entry, outcome);
};

export const importPolicy: EntryImporter = async ({ ports }, entry) =>
  taken(entry, await ports.broker.policies.set('policy', policyOf(entry)));

function policyOf(entry: Entry): Policy {
  return {
    namespace: entry.namespace,
    name: entry.text('name'),
    pattern: entry.text('pattern'),
    // The store refuses what is none of them.
    applyTo: entry.text('apply-to', 'all') as ApplyTo,
    priority: entry.integer('priority', 0),
    definition: entry.object('definition'),
  };
}

function passwordOf(entry: Entry, version: string): NewPassword {
  const hash = entry.text('password_hash', '');
  if (hash === '') {
    const text = entry.text('password', '');
    return text === '' ? { kind: 'none' } : { kind: 'text', text };
  }
  const name = entry.text('hashing_algorithm', usualAlgorithm(version));
  const algorithm = ALGORITHMS[name];
  if (algorithm === undefined) throw entry.error(`hashing_algorithm '${name}' is not known`);
  return { kind: 'hash', hash: { algorithm, hash } };
}

/** What was used by a version that did not say: MD5 before 3.6. */
function usualAlgorithm(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major > 0 && (major < 3 || (major === 3 && minor < 6));
  return `rabbit_password_hashing_${isOld ? 'md5' : 'sha256'}`;
}

function namespaceLimits(entry: Entry, limits: Arguments): NamespaceLimits {
  return {
    maxConnections: limitOf(entry, limits, 'max-connections'),
    maxQueues: limitOf(entry, limits, 'max-queues'),
  };
}

/** A negative limit is none. */
function limitOf(entry: Entry, limits: Arguments, name: string): number | null {
  const value = limits[name] ?? -1;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw entry.error(`limit '${name}': an integer expected`);
  }
  return value < 0 ? null : value;
}

function taken(entry: Entry, outcome: ChangeOutcome): null {
  if (outcome.status === 'ok') return null;
  if (outcome.status === 'invalid') throw entry.error(outcome.message);
  throw entry.error(outcome.what === 'user' ? 'there is no such user' : 'there is no such vhost');
}

/** A rule about a user or a virtual host that is not in the document protects nothing. */
function takenOrOrphan(entry: Entry, outcome: ChangeOutcome): string | null {
  if (outcome.status !== 'unknown') return taken(entry, outcome);
  return outcome.what === 'user' ? 'there is no such user' : 'there is no such vhost';
}
