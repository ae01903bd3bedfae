/** Whether a peer is on this machine, by its address as the kernel tells it; '' is a local socket without one. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return plain === '' || plain === '::1' || plain.startsWith('127.');
}
