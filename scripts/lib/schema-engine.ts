import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** A module's schema file, and a database with the module's PostgreSQL schema in it. */
export interface SchemaTarget {
  readonly connectionString: string;
  /** The module's name, which is also its PostgreSQL schema's. */
  readonly module: string;
  readonly schemaFile: string;
}

type SchemaEngine = bindings.SchemaEngine;

/** The part of the WebAssembly interface that is used here: TypeScript declares it for browsers only. */
interface WebAssemblyLoader {
  instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
}

// PostgreSQL's one-byte internal type, which the catalogues use and Prisma's adapter does not know.
const INTERNAL_CHAR_OID = 18;
const TEXT_OID = 25;
const NO_FILTER = { externalTables: [], externalEnums: [] };

/**
 * The SQL that would turn the database into what the schema file says; undefined when they agree.
 * What Prisma's schema language cannot say (partitions, partial indexes, checks, grants, functions) is not compared.
 */
export async function diffSchema(target: SchemaTarget): Promise<string | undefined> {
  return withEngine(target, async (engine, files) => {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: dirname(target.schemaFile) },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: NO_FILTER,
    });
    return exitCode === 0 ? undefined : (stdout ?? '');
  });
}

/** What `prisma migrate` thinks of the database's ledger beside the migrations on disk. */
export async function diagnoseHistory(target: SchemaTarget, migrationsDir: string) {
  const names = (await readdir(migrationsDir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const migrationDirectories = await Promise.all(
    names.map(async ({ name }) => {
      const value = await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8');
      return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
    }),
  );
  return withEngine(target, (engine) =>
    engine.diagnoseMigrationHistory({
      migrationsList: {
        baseDir: migrationsDir,
        lockfile: { path: 'migration_lock.toml', content: null },
        shadowDbInitScript: '',
        migrationDirectories,
      },
      optInToShadowDatabase: false,
      filters: NO_FILTER,
    }),
  );
}

async function withEngine<T>(
  { connectionString, module, schemaFile }: SchemaTarget,
  work: (engine: SchemaEngine, files: { path: string; content: string }[]) => Promise<T>,
): Promise<T> {
  const panics = await loadEngine();
  const files = [{ path: schemaFile, content: await readFile(schemaFile, 'utf8') }];
  // The engine finds its ledger by the search path alone.
  const pool = new IntrospectionPool({ connectionString, max: 1, options: `-c search_path=${module}` });
  const factory = bindMigrationAwareSqlAdapterFactory(new IntrospectionAdapter(pool, { schema: module }));
  let engine: SchemaEngine | undefined;
  try {
    const datamodels = files.map(({ path, content }): [string, string] => [path, content]);
    engine = await bindings.SchemaEngine.new({ datamodels }, () => undefined, factory);
    return await work(engine, files);
  } catch (error) {
    throw new Error(`${schemaFile}: ${panics.at(-1) ?? (error as Error).message}`, { cause: error });
  } finally {
    // A panic leaves the engine unusable, even for being freed.
    if (panics.length === 0) engine?.free();
    await pool.end();
  }
}

let loading: Promise<string[]> | undefined;

/** Loads the engine's WebAssembly once. Returns where it reports its panics. */
function loadEngine(): Promise<string[]> {
  loading ??= (async () => {
    const panics: string[] = [];
    Object.assign(globalThis, {
      PRISMA_WASM_PANIC_REGISTRY: { set_message: (message: string) => panics.push(message) },
    });
    const glue = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
    const code = await readFile(join(dirname(glue), 'schema_engine_bg.wasm'));
    const { WebAssembly: loader } = globalThis as unknown as { WebAssembly: WebAssemblyLoader };
    const { instance } = await loader.instantiate(code, { './schema_engine_bg.js': { ...bindings } });
    const { __wbg_set_wasm: setWasm } = bindings as unknown as { __wbg_set_wasm(exports: object): void };
    setWasm(instance.exports);
    instance.exports.__wbindgen_start();
    return panics;
  })();
  return loading;
}

/** Shows internal characters as text, and remembers which columns of the last result they were. One query at a time. */
class IntrospectionPool extends pg.Pool {
  internalChars: number[] = [];

  override query = (async (...args: Parameters<pg.Pool['query']>) => {
    const result = await (super.query as (...args: unknown[]) => Promise<pg.QueryResult>)(...args);
    this.internalChars = result.fields.flatMap((field, index) =>
      field.dataTypeID === INTERNAL_CHAR_OID ? [index] : [],
    );
    for (const index of this.internalChars) result.fields[index]!.dataTypeID = TEXT_OID;
    return result;
  }) as pg.Pool['query'];
}

/** Prisma's adapter, which tells the engine of the internal characters that the pool saw. */
class IntrospectionAdapter extends PrismaPg {
  constructor(
    private readonly pool: IntrospectionPool,
    options: { schema: string },
  ) {
    super(pool, options);
  }

  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      for (const index of this.pool.internalChars) result.columnTypes[index] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  }
}
