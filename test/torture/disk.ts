import { execFile } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE_GIB = 16;
const FILLER = 'filler';

/** The disk under the database: a file system of its own where this user may mount one, so that it can be filled. */
export class Disk {
  private constructor(
    readonly path: string,
    /** Whether it can be filled without filling anybody else's. */
    readonly canBeFull: boolean,
    readonly whyNot: string,
  ) {}

  /** Makes the directory `path`, on a disk image beside it where that can be had. */
  static async make(path: string): Promise<Disk> {
    await mkdir(path, { recursive: true });
    const image = `${path}.img`;
    try {
      const file = await open(image, 'w');
      await file.truncate(SIZE_GIB * 2 ** 30);
      await file.close();
      // Nothing is set aside for root, which the database may run as.
      await run('mkfs.ext4', ['-q', '-m', '0', '-E', 'lazy_itable_init=1,nodiscard', image]);
      await run('mount', ['-o', 'loop', image, path]);
      await rm(join(path, 'lost+found'), { recursive: true });
      return new Disk(path, true, '');
    } catch (error) {
      await rm(image, { force: true });
      const { stderr, message } = error as { stderr?: string; message: string };
      return new Disk(path, false, (stderr || message).trim().split('\n')[0] ?? '');
    }
  }

  /** Leaves no room. */
  async fill(): Promise<void> {
    if (!this.canBeFull) return;
    const filler = join(this.path, FILLER);
    const { bavail, bsize } = await statfs(this.path);
    await run('fallocate', ['-l', String(bavail * bsize), filler]).catch(() => undefined);
    // What fallocate's own bookkeeping left over.
    await run('dd', ['if=/dev/zero', `of=${filler}.rest`, 'bs=4096']).catch(() => undefined);
  }

  async empty(): Promise<void> {
    await rm(join(this.path, FILLER), { force: true });
    await rm(join(this.path, `${FILLER}.rest`), { force: true });
  }

  /** Gives everything back, the data included. */
  async remove(): Promise<void> {
    if (!this.canBeFull) return;
    await run('umount', [this.path]);
    await rm(`${this.path}.img`, { force: true });
  }
}
