import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ACCOUNTS_EVENTS } from '../../src/modules/accounts/contract/accounts.events.js';
import { BILLING_EVENTS } from '../../src/modules/billing/contract/billing.events.js';
import { CARRIERS_EVENTS } from '../../src/modules/carriers/contract/carriers.events.js';
import { MESSAGING_EVENTS } from '../../src/modules/messaging/contract/messaging.events.js';
import { NOTIFICATIONS_EVENTS } from '../../src/modules/notifications/contract/notifications.events.js';
import { MODULES, type ModuleName } from '../../src/platform/settings/settings.js';
import { defineEvent, type EventDefinition } from '../../src/shared/define-event.js';
import { incompatibilities, type JsonSchema } from './schema-compatibility.js';

/** `UPDATE_EVENT_SCHEMAS=1` writes what is new and compatible. What is not compatible is refused all the same. */
const isUpdate = process.env.UPDATE_EVENT_SCHEMAS === '1';
const SNAPSHOTS = fileURLToPath(new URL('./event-schemas/', import.meta.url));
const BIOME = fileURLToPath(new URL('../../node_modules/.bin/biome', import.meta.url));

const EVENTS: Record<ModuleName, readonly EventDefinition[]> = {
  accounts: ACCOUNTS_EVENTS,
  billing: BILLING_EVENTS,
  carriers: CARRIERS_EVENTS,
  messaging: MESSAGING_EVENTS,
  notifications: NOTIFICATIONS_EVENTS,
};
const published = Object.values(EVENTS).flat();

const schemaOf = ({ schema }: Pick<EventDefinition, 'schema'>) => z.toJSONSchema(schema) as JsonSchema;
const fileOf = (type: string) => join(SNAPSHOTS, `${type}.json`);
const snapshotTypes = () => readdirSync(SNAPSHOTS).map((name) => name.replace(/\.json$/, ''));

/** What is wrong with an event, given the schema that was published under its name, or none. */
function complaints(definition: EventDefinition, snapshot: JsonSchema | null): string[] {
  const current = schemaOf(definition);
  const changes = incompatibilities(snapshot ?? current, current);
  if (changes.length > 0) return [...changes, 'give it the next version in its name, and an upcaster from this one'];
  if (snapshot && JSON.stringify(snapshot) === JSON.stringify(current)) return [];
  return [
    `${definition.type} is new or has grown: run this test once with UPDATE_EVENT_SCHEMAS=1 and commit the result`,
  ];
}

/** The published types that no event of today is or reads. */
function orphans(types: readonly string[], definitions: readonly EventDefinition[]): string[] {
  const readable = new Set(definitions.flatMap(({ type, upcasts }) => [type, ...Object.keys(upcasts)]));
  return types.filter((type) => !readable.has(type));
}

/** The types that an upcaster claims to read and that were never published. */
function inventions(types: readonly string[], definitions: readonly EventDefinition[]): string[] {
  return definitions.flatMap(({ upcasts }) => Object.keys(upcasts)).filter((type) => !types.includes(type));
}

function readSnapshot(type: string): JsonSchema | null {
  return existsSync(fileOf(type)) ? (JSON.parse(readFileSync(fileOf(type), 'utf8')) as JsonSchema) : null;
}

beforeAll(() => {
  if (!isUpdate) return;
  mkdirSync(SNAPSHOTS, { recursive: true });
  for (const definition of published) {
    const current = schemaOf(definition);
    if (incompatibilities(readSnapshot(definition.type) ?? current, current).length > 0) continue;
    writeFileSync(fileOf(definition.type), JSON.stringify(current, null, 2));
  }
  execFileSync(BIOME, ['format', '--write', SNAPSHOTS], { stdio: 'ignore' });
});

describe('the published events', () => {
  it('are those of every module, each under its own name', () => {
    expect(Object.keys(EVENTS).sort()).toEqual([...MODULES].sort());
    for (const [module, definitions] of Object.entries(EVENTS)) {
      expect(definitions.length).toBeGreaterThan(0);
      for (const { type } of definitions) expect(type.split('.')[0]).toBe(module);
    }
    expect(new Set(published.map(({ type }) => type)).size).toBe(published.length);
  });

  it.each(published)('$type serves the consumers of yesterday and the events of yesterday', (definition) => {
    expect(complaints(definition, readSnapshot(definition.type))).toEqual([]);
  });

  it('can all be read that were ever published', () => {
    expect(orphans(snapshotTypes(), published)).toEqual([]);
    expect(inventions(snapshotTypes(), published)).toEqual([]);
  });

  it('hold no text of a message', () => {
    for (const type of snapshotTypes()) {
      expect(readFileSync(fileOf(type), 'utf8')).not.toMatch(/"(body|text|content)"/i);
    }
  });
});

describe('a change of an event', () => {
  const line = z.object({ price: z.int(), note: z.string().optional() });
  const before = {
    id: z.string(),
    state: z.enum(['new', 'done']),
    code: z.int().nullable(),
    hint: z.string().optional(),
    lines: z.array(line),
    place: z.object({ city: z.string() }),
  };
  const changeTo = (fields: z.ZodRawShape) =>
    complaints(defineEvent('billing.thing-done.v1', z.object(fields)), schemaOf({ schema: z.object(before) }));
  const without = (name: keyof typeof before) =>
    Object.fromEntries(Object.entries(before).filter(([field]) => field !== name));

  it.each([
    ['a field is removed', without('id'), 'data.id was removed'],
    ['an optional field is removed', without('hint'), 'data.hint was removed'],
    ['a field is renamed', { ...without('id'), sid: z.string() }, 'data.id was removed'],
    ['a type is changed', { ...before, id: z.int() }, 'data.id: type was "string" and is "integer"'],
    ['a required field is added', { ...before, more: z.string() }, 'data.more is required now'],
    ['a field with a default is added', { ...before, more: z.string().default('') }, 'data.more is required now'],
    ['an optional field becomes required', { ...before, hint: z.string() }, 'data.hint is required now'],
    ['a required field becomes optional', { ...before, id: z.string().optional() }, 'data.id is optional now'],
    ['a field may be null now', { ...before, id: z.string().nullable() }, 'type was "string" and is ["string","null"]'],
    ['a field may no longer be null', { ...before, code: z.int() }, 'data.code: anyOf was'],
    ['a value is added', { ...before, state: z.enum(['new', 'done', 'lost']) }, 'data.state: enum was ["new","done"]'],
    ['a value is removed', { ...before, state: z.enum(['new']) }, 'data.state: enum was ["new","done"]'],
    ['a format is demanded', { ...before, id: z.uuid() }, 'data.id: format was undefined'],
    ['a bound is set', { ...before, id: z.string().max(9) }, 'data.id: maxLength was undefined'],
    ['a nested field is removed', { ...before, place: z.object({}) }, 'data.place.city was removed'],
    ["a list's field changes", { ...before, lines: z.array(line.extend({ price: z.string() })) }, 'lines.items.price'],
    ['a list becomes one', { ...before, lines: line }, 'data.lines: type was "array"'],
  ])('is refused where %s', (_name, fields, message) => {
    const found = changeTo(fields);
    expect(found.join('\n')).toContain(message);
    expect(found.at(-1)).toContain('next version');
  });

  it.each([
    ['an optional field is added', { ...before, more: z.string().optional() }],
    ['a nested optional field is added', { ...before, lines: z.array(line.extend({ tax: z.int().optional() })) }],
    ['it is described', { ...before, id: z.string().describe('the id') }],
  ])('is allowed where %s, and asks for the snapshot to be taken', (_name, fields) => {
    expect(changeTo(fields)).toEqual([expect.stringContaining('UPDATE_EVENT_SCHEMAS=1')]);
  });

  it('is nothing where nothing changes, and asks for a snapshot where the event is new', () => {
    expect(changeTo(before)).toEqual([]);
    const fresh = defineEvent('billing.thing-done.v1', z.object(before));
    expect(complaints(fresh, null)).toEqual([expect.stringContaining('UPDATE_EVENT_SCHEMAS=1')]);
  });

  it('leaves no event unreadable, and no upcaster without what it reads', () => {
    const types = ['billing.thing-done.v1'];
    const next = z.object({});
    expect(orphans(types, [])).toEqual(types);
    expect(orphans(types, [defineEvent('billing.thing-done.v2', next)])).toEqual(types);
    const successor = defineEvent('billing.thing-done.v2', next, { 'billing.thing-done.v1': () => ({}) });
    expect(orphans(types, [successor])).toEqual([]);
    expect(inventions(types, [successor])).toEqual([]);
    expect(inventions([], [successor])).toEqual(types);
  });
});
