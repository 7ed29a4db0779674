import type { Environment } from '../../platform/settings/settings.js';

/** Where a process with these settings listens, as another on the same machine reaches it. */
export function localAddress({ HOST, PORT }: Environment): string {
  const host = HOST === '0.0.0.0' ? '127.0.0.1' : HOST === '::' ? '::1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`;
}
