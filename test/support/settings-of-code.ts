import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SETTINGS = fileURLToPath(new URL('../../src/platform/settings/settings.ts', import.meta.url));

/** The names of all settings, as the code reads them from the environment. */
export function settingsOfCode(): string[] {
  const schema =
    /const environmentSchema = z\.object\(\{\n(.*?)\n\}\);/s.exec(readFileSync(SETTINGS, 'utf8'))?.[1] ?? '';
  return [...schema.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name = '']) => name);
}
