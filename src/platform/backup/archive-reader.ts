import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { createGunzip, type Gunzip } from 'node:zlib';
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar';
import type { z } from 'zod';
import { reasonOf } from '../embedded-postgres/data-dir.js';
import {
  type BackedUpFile,
  type BackupHeader,
  type BackupManifest,
  DATA_PREFIX,
  HEADER_ENTRY,
  headerSchema,
  MANIFEST_ENTRY,
  manifestSchema,
} from './manifest.js';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;
/** A part of a path: no way up, no other separator, no control character. */
const PART = /^(?!\.{1,2}$)[^/\\\p{Cc}]{1,255}$/u;

/** The archive cannot be used; the message says why, in plain words. */
export class ArchiveError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`the backup cannot be used: ${reason}`, options);
    this.name = 'ArchiveError';
  }
}

export interface UnpackOptions {
  /** An empty directory, into which the data goes. */
  readonly target: string;
  /** Refuses what this product cannot open, before anything is written. */
  readonly accept: (header: BackupHeader) => void;
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Unpacks a backup into an empty directory and proves that it is whole: every file that its manifest names, none
 * besides, each with the length and checksum that it was written with. Nothing in it can lead outside the target: only
 * plain files and directories with plain names are taken, none twice, and each is its reader's alone, whatever the
 * archive says of its rights.
 *
 * @throws ArchiveError where it is none, is damaged or cut off, or is not accepted; what was unpacked is then worthless
 */
export async function unpack(input: Readable, options: UnpackOptions): Promise<BackupHeader & BackupManifest> {
  const seen = new Unpacking(options);
  const gunzip = createGunzip();
  try {
    for await (const entry of entriesOf(input, gunzip)) await seen.take(entry);
    return seen.verified();
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    const { code = '', syscall } = error as NodeJS.ErrnoException;
    if (syscall !== undefined && code.startsWith('E')) throw new Error(reasonOf(error), { cause: error });
    throw new ArchiveError(`it is damaged, or no backup (${(error as Error).message})`, { cause: error });
  } finally {
    input.destroy();
    gunzip.destroy();
  }
}

function entriesOf(input: Readable, gunzip: Gunzip): ReadableStream<ParsedTarEntry> {
  input.once('error', (error) => gunzip.destroy(error));
  const bytes = Readable.toWeb(input.pipe(gunzip)) as ReadableStream<Uint8Array>;
  const decoder = createTarDecoder({ strict: true });
  return bytes.pipeThrough({
    readable: decoder.readable as ReadableStream<ParsedTarEntry>,
    writable: decoder.writable as WritableStream<Uint8Array>,
  });
}

class Unpacking {
  private header: BackupHeader | null = null;
  private manifest: BackupManifest | null = null;
  private readonly files = new Map<string, BackedUpFile>();
  private readonly directories = new Set<string>();
  private bytes = 0;

  constructor(private readonly options: UnpackOptions) {}

  async take({ header: { name, size, type }, body }: ParsedTarEntry): Promise<void> {
    if (this.manifest) throw new ArchiveError(`something follows its end: ${shown(name)}`);
    if (!this.header) {
      if (name !== HEADER_ENTRY) throw new ArchiveError('it is no backup of this product');
      this.header = await note(name, body, size, MAX_HEADER_BYTES, headerSchema);
      this.options.accept(this.header);
    } else if (name === MANIFEST_ENTRY) {
      this.manifest = await note(name, body, size, MAX_MANIFEST_BYTES, manifestSchema);
    } else if (type === 'directory') {
      await body.cancel();
      await this.makeDirectory(pathOf(name.replace(/\/$/, '')));
    } else if (type === 'file') await this.writeFile(pathOf(name), body);
    else throw new ArchiveError(`it holds a ${type ?? 'nameless thing'}: ${shown(name)}`);
  }

  verified(): BackupHeader & BackupManifest {
    if (!this.header || !this.manifest) throw new ArchiveError('it is cut off: its end is missing');
    const { files } = this.manifest;
    for (const { path, bytes, sha256 } of files) {
      const found = this.files.get(path);
      if (!found) throw new ArchiveError(`the file ${shown(path)} is missing`);
      if (found.bytes !== bytes || found.sha256 !== sha256) {
        throw new ArchiveError(`the checksum of the file ${shown(path)} is wrong`);
      }
    }
    if (this.files.size !== files.length) throw new ArchiveError('it holds files that its manifest does not name');
    return { ...this.header, ...this.manifest };
  }

  private async makeDirectory(path: string): Promise<void> {
    if (this.directories.has(path)) return;
    await mkdir(join(this.options.target, path), { recursive: true, mode: DIRECTORY_MODE });
    this.directories.add(path);
  }

  private async writeFile(path: string, body: ParsedTarEntry['body']): Promise<void> {
    if (this.files.has(path) || this.directories.has(path)) throw new ArchiveError(`${shown(path)} is in it twice`);
    await this.makeDirectory(dirname(path));
    const file = await open(join(this.options.target, path), 'wx', FILE_MODE);
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      for await (const chunk of body) {
        hash.update(chunk);
        await file.writeFile(chunk);
        bytes += chunk.length;
        this.options.onProgress?.(this.bytes + bytes);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    this.bytes += bytes;
    this.files.set(path, { path, bytes, sha256: hash.digest('hex') });
  }
}

/** Where an entry belongs, below the target. */
function pathOf(name: string): string {
  const parts = name.startsWith(DATA_PREFIX) ? name.slice(DATA_PREFIX.length).split('/') : [];
  if (parts.length === 0 || !parts.every((part) => PART.test(part))) {
    throw new ArchiveError(`it holds a path that leads elsewhere: ${shown(name)}`);
  }
  return parts.join('/');
}

async function note<T>(
  name: string,
  body: ParsedTarEntry['body'],
  size: number,
  maxBytes: number,
  schema: z.ZodType<T>,
): Promise<T> {
  if (size > maxBytes) throw new ArchiveError(`${name} is larger than any that this product writes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  try {
    return schema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch (error) {
    throw new ArchiveError(`${name} in it cannot be read`, { cause: error });
  }
}

/** A name from the archive, as it may be printed. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
