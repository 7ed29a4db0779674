import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newMigration } from '../../scripts/lib/new-migration.js';
import { diagnoseHistory, diffSchema, type SchemaTarget } from '../../scripts/lib/schema-engine.js';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/platform/embedded-postgres/embedded-postgres.js';
import { migrate } from '../../src/platform/postgres/migrate.js';

const PRISMA_DIR = join(import.meta.dirname, '..', '..', 'prisma');
const modules = readdirSync(PRISMA_DIR).filter((name) => existsSync(join(PRISMA_DIR, name, 'schema.prisma')));
const quiet = { info: () => undefined, warn: () => undefined };
// Each new migration makes a database server of its own.
const SEVERAL_SERVERS_MS = 120_000;

let scratch: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'trunkline-agreement-'));
  server = await startEmbeddedPostgres({ dataDir: join(scratch, 'data'), log: quiet, endsWithProcess: true });
});

afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

describe('the schema files and the migrations agree', () => {
  it('sees the modules', () => {
    expect(modules.length).toBeGreaterThan(0);
  });

  describe.each(modules)('%s', (module) => {
    const dir = join(PRISMA_DIR, module, 'migrations');
    let target: SchemaTarget;

    beforeAll(async () => {
      target = { connectionString: server.url, module, schemaFile: join(PRISMA_DIR, module, 'schema.prisma') };
      await migrate({ ...target, dir, log: quiet });
    });

    it('makes by its migrations what its schema file says', async () => {
      expect(await diffSchema(target)).toBeUndefined();
    });

    it('has a ledger that Prisma Migrate takes for its own', async () => {
      expect(await diagnoseHistory(target, dir)).toEqual({
        hasMigrationsTable: true,
        history: null,
        failedMigrationNames: [],
        editedMigrationNames: [],
      });
    });

    it('would be caught in a disagreement', async () => {
      const text = await readFile(target.schemaFile, 'utf8');
      const schemaFile = join(scratch, `${module}.prisma`);
      await writeFile(schemaFile, `${text}\nmodel Planted {\n  id Int @id\n}\n`);
      expect(await diffSchema({ ...target, schemaFile })).toContain('CREATE TABLE "Planted"');
    });
  });
});

describe('a new migration', () => {
  it(
    'holds what the schema file has and the migrations lack, and is not written when there is nothing',
    async () => {
      const prismaDir = join(scratch, 'prisma');
      const schemaFile = join(prismaDir, 'shop', 'schema.prisma');
      const options = { prismaDir, module: 'shop', name: 'first', now: new Date('2026-01-02T03:04:05Z') };
      await mkdir(join(prismaDir, 'shop'), { recursive: true });
      await writeFile(schemaFile, 'datasource db {\n  provider = "postgresql"\n}\nmodel Item {\n  id Int @id\n}\n');

      const path = await newMigration(options);
      expect(path).toBe(join(prismaDir, 'shop', 'migrations', '20260102030405_first', 'migration.sql'));
      expect(await readFile(path ?? '', 'utf8')).toContain('CREATE TABLE "Item"');
      expect(await newMigration({ ...options, now: new Date('2026-02-01T00:00:00Z') })).toBeUndefined();

      await writeFile(schemaFile, 'datasource db {\n  provider = "postgresql"\n}\nmodel Item {\n  id BigInt @id\n}\n');
      await expect(newMigration(options)).rejects.toThrow('20260102030405_first is not older than 20260102030405');
    },
    SEVERAL_SERVERS_MS,
  );

  it.each([
    ['nowhere', 'first', "there is no module 'nowhere'"],
    ['../prisma/shop', 'first', "there is no module '../prisma/shop'"],
    ['shop', 'a/b', "the name 'a/b' has other characters than a-z, 0-9 and _"],
  ])('is refused for %s and %s', async (module, name, message) => {
    const options = { prismaDir: join(scratch, 'prisma'), module, name, now: new Date(0) };
    await expect(newMigration(options)).rejects.toThrow(message);
  });
});
