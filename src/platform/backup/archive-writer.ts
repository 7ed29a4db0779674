import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { createTarPacker, type TarPackController } from 'modern-tar';
import { type BackedUpFile, type BackupManifest, DATA_PREFIX, MANIFEST_ENTRY } from './manifest.js';

const CHUNK_BYTES = 1024 * 1024;
/** Quick, so that the product beside it keeps its processor. */
const GZIP_LEVEL = 1;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Writes a backup as a gzipped tar file, with the checksum of every file in the manifest that ends it. */
export class ArchiveWriter {
  private readonly files: BackedUpFile[] = [];
  private readonly controller: TarPackController;
  private readonly written: Promise<void>;
  private bytes = 0;

  /** @param out where the archive goes; it is ended with it */
  constructor(
    out: Writable,
    private readonly onProgress: (bytes: number) => void = () => undefined,
  ) {
    const { readable, controller } = createTarPacker();
    this.controller = controller;
    this.written = pipeline(Readable.fromWeb(readable), createGzip({ level: GZIP_LEVEL }), out);
    // Whoever adds the next entry, or finishes, is told.
    this.written.catch(() => undefined);
  }

  /** How much was written before compression, in how many files of the data directory. */
  get size(): { readonly files: number; readonly bytes: number } {
    return { files: this.files.length, bytes: this.bytes };
  }

  async addDirectory(path: string): Promise<void> {
    const name = `${DATA_PREFIX}${path}/`;
    await this.controller.add({ name, size: 0, type: 'directory', mode: DIRECTORY_MODE }).close();
  }

  /** An entry beside the data. */
  async addNote(name: string, content: object): Promise<void> {
    await this.writeEntry(name, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));
  }

  /** A file of the data directory whose content is known. */
  async addBytes(path: string, content: Uint8Array): Promise<void> {
    await this.writeEntry(DATA_PREFIX + path, content);
    this.note(path, content.byteLength, createHash('sha256').update(content));
  }

  /**
   * A file of the data directory as it is while others write to it: as many bytes as it had when it was opened, with
   * zeros for those that were cut off since. False where it is gone.
   */
  async addFile(path: string, source: string): Promise<boolean> {
    const file = await open(source, 'r').catch(missing);
    if (!file) return false;
    try {
      const { size } = await file.stat();
      this.note(path, size, await this.copy(DATA_PREFIX + path, file, size));
      return true;
    } finally {
      await file.close();
    }
  }

  /** Ends the archive with its manifest; resolves when all of it has been handed to the output. */
  async finish(state: Omit<BackupManifest, 'files'>): Promise<void> {
    await this.addNote(MANIFEST_ENTRY, { ...state, files: this.files } satisfies BackupManifest);
    this.controller.finalize();
    await this.written;
  }

  /** Gives the archive up; rejects with what went wrong first, where the output did. */
  async abort(error: unknown): Promise<void> {
    this.controller.error(error);
    await this.written;
  }

  private async copy(name: string, file: FileHandle, size: number): Promise<Hash> {
    const hash = createHash('sha256');
    const writer = this.controller.add({ name, size, type: 'file', mode: FILE_MODE }).getWriter();
    for (let at = 0; at < size; ) {
      // The packer keeps what it is given, so each chunk has memory of its own.
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      const part = bytesRead === 0 ? chunk : chunk.subarray(0, bytesRead);
      hash.update(part);
      await writer.write(part);
      at += part.length;
      this.onProgress(this.bytes + at);
    }
    await writer.close();
    return hash;
  }

  private async writeEntry(name: string, content: Uint8Array): Promise<void> {
    const writer = this.controller.add({ name, size: content.byteLength, type: 'file', mode: FILE_MODE }).getWriter();
    if (content.byteLength > 0) await writer.write(content);
    await writer.close();
  }

  private note(path: string, bytes: number, hash: Hash): void {
    this.bytes += bytes;
    this.files.push({ path, bytes, sha256: hash.digest('hex') });
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
