const DEFAULT_NAMESPACE = 'default';
const DEFAULT_VHOST = '/';

/** The namespace that a virtual host is: `/` is the one that every protocol uses by default. */
export function namespaceOf(vhost: string): string {
  return vhost === DEFAULT_VHOST ? DEFAULT_NAMESPACE : vhost;
}

export function vhostOf(namespace: string): string {
  return namespace === DEFAULT_NAMESPACE ? DEFAULT_VHOST : namespace;
}
