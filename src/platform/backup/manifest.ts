import { z } from 'zod';

/** The shape of an archive; another number is another shape. */
export const ARCHIVE_FORMAT = 1;

/** The first entry of an archive: what a restore must know before it reads on. */
export const HEADER_ENTRY = 'backup.json';
/** The last entry: without it the archive is not whole. */
export const MANIFEST_ENTRY = 'manifest.json';
/** Everything of the data directory stands below this. */
export const DATA_PREFIX = 'data/';

/** What the archive is of. */
export const headerSchema = z.object({
  format: z.number().int(),
  product: z.string().max(100),
  postgres_version: z.string().max(100),
  postgres_major: z.number().int(),
  system_identifier: z.string().max(40),
  architecture: z.string().max(40),
  started_at: z.iso.datetime(),
});
export type BackupHeader = z.infer<typeof headerSchema>;

/** One file as it was written into the archive. */
export const fileSchema = z.object({
  path: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type BackedUpFile = z.infer<typeof fileSchema>;

/** Everything that was written before it, with checksums, and the state that a restore leads to. */
export const manifestSchema = z.object({
  /** What was committed before this instant, shortly before the end of the copy, is in it. */
  state_at: z.iso.datetime(),
  wal_from: z.string(),
  wal_to: z.string(),
  files: z.array(fileSchema).min(1),
});
export type BackupManifest = z.infer<typeof manifestSchema>;
