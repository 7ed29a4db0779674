import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { settingsOfCode } from '../support/settings-of-code.js';
import { PROJECT } from './house.js';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const text = z.string().min(1);
const words = z.array(text).min(1);

/** What this project uses of the Compose Specification; anything else is a slip of the pen, or needs a look here. */
const serviceSchema = z.strictObject({
  build: text.optional(),
  image: text,
  init: z.boolean().optional(),
  restart: z.enum(['unless-stopped', 'on-failure']),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  depends_on: z.record(text, z.strictObject({ condition: z.literal('service_healthy') })).optional(),
  shm_size: z
    .string()
    .regex(/^\d+mb$/)
    .optional(),
  command: words.optional(),
  environment: z.record(z.string().regex(/^[A-Z_]+$/), z.string()),
  ports: words.optional(),
  volumes: words.optional(),
  read_only: z.boolean().optional(),
  cap_drop: words.optional(),
  security_opt: words.optional(),
  healthcheck: z
    .strictObject({
      test: words,
      interval: text,
      timeout: text,
      retries: z.int(),
      start_period: text.optional(),
    })
    .optional(),
});
const composeSchema = z.strictObject({
  name: text,
  include: z.array(z.strictObject({ path: text })),
  services: z.record(text, serviceSchema),
  volumes: z.record(text, z.null()),
});

const SOURCE = read('docker-compose.yml');
const COMPOSE = composeSchema.parse(parse(SOURCE));
const { app, postgres, redis } = COMPOSE.services;
const INTERPOLATION = /(?<!\$)\$\{(\w+)(:[-?])?([^}]*)\}/g;
const references = [...SOURCE.matchAll(INTERPOLATION)].map(([, name = '', kind = '', rest = '']) => ({
  name,
  kind,
  rest,
}));

describe('docker-compose.yml', () => {
  it('runs the product beside a PostgreSQL and a Redis, of exact versions', () => {
    expect(Object.keys(COMPOSE.services)).toEqual(['app', 'postgres', 'redis']);
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(app?.image).toBe(`trunkline:${version}`);
    expect(postgres?.image).toMatch(/^postgres:18\.\d+$/);
    expect(redis?.image).toMatch(/^redis:\d+\.\d+\.\d+$/);
    expect(redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it('starts the product when the others are healthy, and knows how each is', () => {
    expect(Object.keys(app?.depends_on ?? {})).toEqual(['postgres', 'redis']);
    for (const service of [postgres, redis]) expect(service?.healthcheck?.test[0]).toMatch(/^CMD/);
    // The image has its own.
    expect([app?.build, app?.healthcheck]).toEqual(['.', undefined]);
    expect(read('Dockerfile')).toContain('HEALTHCHECK ');
  });

  it('sets only what the product knows', () => {
    const known = settingsOfCode();
    const names = Object.keys(app?.environment ?? {});
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('hands on what says where traces go, and which', () => {
    const set = Object.keys(app?.environment ?? {});
    const described: string[] = read('docs/tracing.md').match(/OTEL_[A-Z_]+/g) ?? [];
    const own = settingsOfCode().filter((name) => described.includes(name));
    expect(own).toContain('OTEL_TRACES_SAMPLER_ARG');
    expect(own.filter((name) => !set.includes(name))).toEqual([]);
  });

  it('has no secret of its own: each must be given, and is asked for by name', () => {
    const secrets = ['POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'OPERATOR_TOKEN', 'SECRETS_KEY'];
    for (const { name, kind, rest } of references) {
      if (secrets.includes(name))
        expect([name, kind, rest]).toEqual([name, ':?', expect.stringContaining('set it in .env')]);
      else expect([name, kind]).toEqual([name, ':-']);
    }
    expect(secrets.filter((secret) => references.every(({ name }) => name !== secret))).toEqual([]);
    const literal = Object.values(COMPOSE.services)
      .flatMap(({ environment }) => Object.entries(environment))
      .filter(([name, value]) => /PASSWORD|TOKEN|KEY|_URL$/.test(name) && !/\$\{/.test(value));
    expect(literal).toEqual([]);
    const example = read('.env.example');
    for (const secret of secrets) expect(example).toMatch(new RegExp(`^${secret}=$`, 'm'));
    expect(read('.gitignore').split('\n')).toContain('.env');
  });

  it('shows the product to this machine alone, and the others to nobody', () => {
    expect(app?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\$\{PORT:-3000\}:3000$/)]);
    expect([postgres?.ports, redis?.ports]).toEqual([undefined, undefined]);
    expect(app).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
  });

  it('lets the image of Redis give up the rights of root, which it does for its server and for no shell', () => {
    const [program, ...rest] = redis?.command ?? [];
    if (program === 'redis-server') return;
    expect([program, ...rest].join(' ')).toMatch(/^sh -c exec docker-entrypoint\.sh redis-server /);
  });

  it('keeps data in volumes that it declares', () => {
    const used = Object.values(COMPOSE.services).flatMap(({ volumes = [] }) =>
      volumes.map((each) => each.split(':')[0]),
    );
    expect(used).toEqual(Object.keys(COMPOSE.volumes));
    // The image of PostgreSQL 18 keeps its data below this, and not in data/ as those before.
    expect(postgres?.volumes).toEqual(['postgres:/var/lib/postgresql']);
  });

  it('adds what observes the product under a profile of its own', () => {
    const [{ path }] = COMPOSE.include as [{ path: string }];
    expect(path).toBe('ops/docker-compose.observability.yml');
    if (!existsSync(join(PROJECT, path))) return;
    const { services } = parse(read(path)) as { services: Record<string, { profiles?: string[]; image: string }> };
    for (const [name, { profiles, image }] of Object.entries(services)) {
      expect([name, profiles]).toEqual([name, ['observability']]);
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+/)]);
      expect(Object.keys(COMPOSE.services)).not.toContain(name);
    }
  });
});
