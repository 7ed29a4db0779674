import { DEMO_NUMBER, DEMO_SID } from '../support/product.js';
import type { Parameter, Schema } from './facts.js';

/** A value of a parameter: as a client writes it, and as the official package takes it. */
export interface Sample {
  readonly text: string | readonly string[];
  readonly value: unknown;
}

const DAY_MS = 24 * 3600 * 1000;
const ID = '0123456789abcdef0123456789abcdef';

/** Where a value must mean something to the product. */
const NAMED: Readonly<Record<string, string>> = {
  To: '+15555550123',
  From: DEMO_NUMBER,
  FallbackFrom: DEMO_NUMBER,
  Body: 'conformance',
  AccountSid: DEMO_SID,
  PhoneNumber: '+15005550006',
  Category: 'sms-outbound',
  FriendlyName: 'Conformance',
  AreaCode: '500',
  ApiVersion: '2010-04-01',
  Origin: 'hosted',
  Usecase: 'notifications',
};

/** Valid values of a parameter, as many as its schema tells apart. */
export function samplesOf({ name, schema }: Parameter, nowMs: number): Sample[] {
  const named = NAMED[name];
  if (named !== undefined) return [{ text: named, value: named }];
  if (schema.enum) return schema.enum.filter((value) => value !== null).map((value) => ({ text: value, value }));
  if (schema.type === 'boolean') return [true, false].map((value) => ({ text: String(value), value }));
  if (schema.type === 'array') {
    const [{ text, value }] = [sampleOf(schema.items ?? {}, name, nowMs)];
    return [{ text: [text as string], value: [value] }];
  }
  return [sampleOf(schema, name, nowMs)];
}

function sampleOf(schema: Schema, name: string, nowMs: number): Sample {
  const { type, format, pattern, minimum } = schema;
  if (type === 'integer' || type === 'number') {
    const value = Math.max(minimum ?? 0, name === 'Page' ? 0 : 2);
    return { text: String(value), value };
  }
  if (format === 'uri') return same('https://example.com/hook');
  if (format === 'phone-number') return same('+15555550123');
  if (format === 'date') return { text: dayOf(nowMs), value: new Date(dayOf(nowMs)) };
  if (format === 'date-time') {
    // Bounds lie a day away, so that something lies within them.
    const days = name === 'SendAt' || name.endsWith('<') ? 1 : name.endsWith('>') ? -1 : 0;
    const instant = new Date(Math.floor(nowMs / 1000) * 1000 + days * DAY_MS);
    return { text: instant.toISOString(), value: instant };
  }
  const prefix = /^\^([A-Z]{2})/.exec(pattern ?? '')?.[1];
  return same(prefix ? prefix + ID : 'anything');
}

/** Values that cannot be right; none where anything can. */
export function wrongOf({ schema }: Parameter): string[] {
  const { type, format, pattern } = schema;
  if (schema.enum) return ['nonsense', ''];
  if (type === 'boolean') return ['perhaps'];
  if (type === 'integer' || type === 'number') return ['many', '-1', '1e400'];
  if (format === 'uri') return ['ftp://example.com/', 'nonsense'];
  if (format === 'date' || format === 'date-time') return ['the day after', '2026-02-30'];
  return pattern ? ['nonsense'] : [];
}

function same(value: string): Sample {
  return { text: value, value };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
