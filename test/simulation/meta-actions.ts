import type { MetaOp, MetaTxn } from '../../src/storage/meta-store.ts';
import type { Durability, LogSpec } from '../../src/storage/types.ts';
import type { Clients } from './clients.ts';
import { LogModel } from './log-model.ts';
import type { World } from './world.ts';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/1', 'c', 'd/x', 'e'];
const DURABILITIES: readonly Durability[] = ['fsync', 'fsync', 'fsync', 'os', 'os', 'memory'];
const LOGS_MAX = 12;
/** Long enough never to run out: how leases end by themselves is tested elsewhere. */
const LEASE_MS = 1e9;

export function changeKeys(clients: Clients): void {
  const { world } = clients;
  const txn: MetaTxn = { then: someOps(world), else: world.chance(0.5) ? someOps(world) : [] };
  const key = world.pick(KEYS)!;
  const actual = world.meta.latest.keys.get(key)?.modRevision ?? 0;
  const guess = world.chance(0.7) ? actual : world.below(10);
  clients.commit(world.chance(0.5) ? { ...txn, compares: [{ key, modRevision: guess }] } : txn);
}

export function createLogs(clients: Clients): void {
  const { world, engine } = clients;
  const count = 1 + world.below(3);
  if (world.logs.size + count > LOGS_MAX) return;
  void engine.allocateLogIds(count).then((first) => {
    if (first <= world.newestLogId) world.fail(`log id ${first} was handed out twice`);
    const createLogs = Array.from({ length: count }, (_, i) => ({
      id: first + i,
      name: `sim/${first + i}`,
      spec: someSpec(world),
    }));
    const models = createLogs.map(({ id, spec }) => {
      const limited = spec.retentionBytes !== Infinity || spec.retentionMs !== Infinity;
      const trimsItself = limited || world.scenario.shortOfSpace;
      return new LogModel(id, { memory: spec.durability === 'memory', trimsItself });
    });
    for (const log of models) world.logs.set(log.id, log);
    clients.commit({ then: someOps(world), createLogs }, () => {
      world.newestLogId = Math.max(world.newestLogId, first + count - 1);
      for (const log of models) {
        log.usable = true;
        clients.watch(log);
        if (!engine.hasLog(log.id)) world.fail(`log ${log.id} was created and is not there`);
      }
    });
  });
}

export function deleteLog(clients: Clients): void {
  const log = clients.world.pick(clients.usable());
  if (log === undefined) return;
  log.usable = false;
  clients.commit({ then: [], deleteLogs: [log.id] }, () => {
    clients.world.logs.delete(log.id);
    if (clients.engine.hasLog(log.id)) clients.world.fail(`log ${log.id} was deleted and is there`);
  });
}

export function alterLog(clients: Clients): void {
  const log = clients.world.pick(clients.usable());
  const spec = log === undefined ? null : clients.engine.spec(log.id);
  if (log === undefined || spec === null || log.memory) return;
  const durability = clients.world.chance(0.5) ? 'os' : 'fsync';
  log.altered = true;
  clients.commit({ then: [], alterLogs: [{ id: log.id, spec: { ...spec, durability } }] });
}

export function useLease(clients: Clients): void {
  const { world, engine } = clients;
  if (clients.leases.length > 0 && world.chance(0.5)) {
    const lease = clients.leases.pop()!;
    const expected = world.meta.revoke(lease);
    world.log(`revoke lease ${lease}`);
    clients.settle(engine.meta.revokeLease(lease), () => world.meta.acknowledge(expected));
    return;
  }
  const lease = engine.meta.grantLease(LEASE_MS);
  clients.leases.push(lease);
  clients.commit({ then: [{ op: 'put', key: world.pick(KEYS)!, value: 'leased', lease }] });
}

function someOps(world: World): MetaOp[] {
  return Array.from({ length: world.below(4) }, () => {
    const key = world.pick(KEYS)!;
    return world.chance(0.7)
      ? { op: 'put', key, value: `${world.nextTag++}` }
      : { op: 'delete', key };
  });
}

function someSpec(world: World): LogSpec {
  return {
    durability: world.pick(DURABILITIES)!,
    retentionMs: world.chance(0.08) ? 50 + world.below(2000) : Infinity,
    retentionBytes: world.chance(0.15) ? 2000 + world.below(8000) : Infinity,
    segmentBytes: 1000 << world.below(5),
  };
}
