import type { z } from 'zod';

/**
 * An event type: its name (`<module>.<fact>.v<n>`), the schema of its data, and, for a version that succeeded another,
 * how the older data is read as the newer (`upcasts`, keyed by the older type's name).
 */
export interface EventDefinition<S extends z.ZodType = z.ZodType> {
  readonly type: string;
  readonly schema: S;
  readonly upcasts: Readonly<Record<string, (old: never) => z.infer<S>>>;
}

export type EventData<D> = D extends EventDefinition<infer S> ? z.infer<S> : never;

/**
 * Declares a published event. Data holds ids, numbers and codes only: never the text of a message.
 *
 * @param type `<module>.<fact-in-the-past-tense>.v<version>`
 * @param schema zod schema of the data; its JSON schema is committed as a snapshot that may only grow compatibly
 */
export function defineEvent<S extends z.ZodType>(
  type: string,
  schema: S,
  upcasts: EventDefinition<S>['upcasts'] = {},
): EventDefinition<S> {
  if (!/^[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9]\d*$/.test(type)) throw new Error(`bad event type ${type}`);
  return { type, schema, upcasts };
}

/** An event before it is appended: what happened, to which stream, as which version of it. */
export interface NewEvent<T = unknown> {
  readonly type: string;
  /** UUID of the thing whose history this is: a message, an account, a submission. */
  readonly streamId: string;
  /** 1 for the first event of the stream, then one more each time; the pair is unique. */
  readonly version: number;
  /** UUID of the account it belongs to; null for what belongs to the operator. */
  readonly tenantId: string | null;
  readonly data: T;
  /** `<module>/<position>` of the event that caused this one, or the id of the request. */
  readonly causation?: string | null;
  readonly traceparent?: string | null;
}

/** An event as it is read back, with its place in the log of its module. */
export interface StoredEvent<T = unknown> extends NewEvent<T> {
  /** Commit order within one module's log, without gaps, from 1. */
  readonly position: number;
  readonly occurredAt: Date;
}

/** A CloudEvents 1.0 rendering of a stored event, for whoever reads it from outside the process. */
export function toCloudEvent(module: string, event: StoredEvent): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: `${module}/${event.position}`,
    source: `/trunkline/${module}`,
    type: event.type,
    subject: event.streamId,
    time: event.occurredAt.toISOString(),
    datacontenttype: 'application/json',
    sequence: event.version,
    ...(event.tenantId ? { tenant: event.tenantId } : {}),
    ...(event.causation ? { causation: event.causation } : {}),
    ...(event.traceparent ? { traceparent: event.traceparent } : {}),
    data: event.data,
  };
}
