import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where a run of the tests keeps its templates: the runner makes the directory, and removes it at the end. */
const ROOT = process.env.TRUNKLINE_TEST_TEMPLATES;

/**
 * Fills a directory with a copy of what `make` makes, which is made once in a run of the tests: to copy a database takes a
 * tenth of the work of making one. Without a directory for templates it is made on the spot.
 *
 * @param name of the template: the same for the same content
 * @param target the directory to be filled; there, and empty
 * @param make fills the directory that it is given, and leaves nothing running in it
 */
export async function fillFromTemplate(
  name: string,
  target: string,
  make: (directory: string) => Promise<void>,
): Promise<void> {
  if (!ROOT) return make(target);
  const template = join(ROOT, name);
  if (!(await exists(template))) await makeTemplate(ROOT, template, make);
  await run('cp', ['-a', `${template}/.`, target]);
}

/** Made beside and renamed when it is whole; of two that make the same, the second one's is thrown away. */
async function makeTemplate(root: string, template: string, make: (directory: string) => Promise<void>): Promise<void> {
  await mkdir(root, { recursive: true });
  const stage = await mkdtemp(join(root, 'stage-'));
  try {
    await make(stage);
    await rename(stage, template);
  } catch (error) {
    await rm(stage, { recursive: true, force: true });
    if (!(await exists(template))) throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
