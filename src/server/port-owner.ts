import { readFile, readdir, readlink } from 'node:fs/promises';

/** Process that listens on a TCP port of this machine. */
export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

const LISTEN_STATE = '0A';

/**
 * Who listens on the port, where Linux tells: /proc/net/tcp has the socket's inode, and the owner has a descriptor
 * that links to it. Null when it cannot be found, for example because the process belongs to another user.
 */
export async function findPortOwner(port: number): Promise<PortOwner | null> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const inode of listeningInodes(await readText(table), port)) inodes.add(inode);
  }
  if (inodes.size === 0) return null;
  for (const entry of await listFolder('/proc')) {
    if (/^\d+$/.test(entry) && (await holdsSocket(entry, inodes))) {
      return { pid: Number(entry), command: (await readText(`/proc/${entry}/comm`)).trim() };
    }
  }
  return null;
}

/** Column 1 is address:port in hexadecimal, column 3 the state, column 9 the inode. */
function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes: string[] = [];
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    const inode = columns[9];
    if (columns[1]?.endsWith(`:${wanted}`) !== true || columns[3] !== LISTEN_STATE) continue;
    if (inode !== undefined) inodes.push(inode);
  }
  return inodes;
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await listFolder(`/proc/${pid}/fd`)) {
    try {
      const target = await readlink(`/proc/${pid}/fd/${fd}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    } catch {
      // The descriptor was closed, or is not ours to see.
    }
  }
  return false;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch {
    return [];
  }
}
