import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const SECRETS = z.object({ operatorToken: z.string().min(16), secretsKey: z.string().min(32) });
export type Secrets = z.infer<typeof SECRETS>;

/** Where the embedded mode keeps the secrets that nobody gave it. */
export function secretsFile(dataDir: string): string {
  return join(dataDir, 'secrets.json');
}

/** The secrets that were made at an earlier start; null when none were. */
export async function readSecrets(path: string): Promise<Secrets | null> {
  try {
    return SECRETS.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`the secrets in ${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Makes secrets and keeps them for the process's user alone. */
export async function makeSecrets(path: string): Promise<Secrets> {
  const made = { operatorToken: randomBytes(24).toString('hex'), secretsKey: randomBytes(32).toString('hex') };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return made;
}
