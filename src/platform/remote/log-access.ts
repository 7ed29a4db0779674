import { z } from 'zod';
import type { StoredEvent } from '../../shared/define-event.js';
import type { ReadableLog } from '../event-log/readable-log.js';
import { Wakeup } from '../event-log/wakeup.js';
import type { ContractSchemas } from './wire.js';

/** What the name of a log begins with among what is served. */
export const LOGS = 'logs.';
/** How long a reader is let wait for something new before it must ask again. */
export const WAIT_MS = 10_000;
/** How long what other processes append may go unnoticed where no wake tells of it. */
const POLL_MS = 250;

const position = z.int().min(0);

/** An event as it crosses; `unreadable` says why there is no data, for an old version that its upcaster cannot read. */
const wireEvent = z.object({
  position,
  streamId: z.string(),
  version: z.int(),
  type: z.string(),
  tenantId: z.string().nullable(),
  occurredAt: z.iso.datetime(),
  data: z.unknown(),
  unreadable: z.string().optional(),
  causation: z.string().nullable(),
  traceparent: z.string().nullable(),
});
export type WireEvent = z.infer<typeof wireEvent>;

/** A log as a contract: its calls with plain data, to be served and called like any other. */
export abstract class LogAccess {
  abstract read(input: { after: number; limit: number }): Promise<WireEvent[]>;
  abstract readAt(positions: readonly number[]): Promise<WireEvent[]>;
  abstract around(input: { position: number }): Promise<{ head: number; next: number | null }>;
  abstract head(): Promise<number>;
  /** The head, as soon as it is beyond `after`, or when WAIT_MS are over. */
  abstract wait(input: { after: number }): Promise<number>;
}

const page = z.array(wireEvent);
export const logContract = {
  read: { input: z.object({ after: position, limit: z.int().min(1) }), output: page },
  readAt: { input: z.array(position).max(1000), output: page },
  around: {
    input: z.object({ position }),
    output: z.object({ head: position, next: position.nullable() }),
  },
  head: { input: z.void(), output: position },
  wait: { input: z.object({ after: position }), output: position },
} satisfies ContractSchemas<LogAccess>;

/** A log of this process, for others. */
export class ServedLog extends LogAccess {
  constructor(private readonly log: ReadableLog) {
    super();
  }

  async read({ after, limit }: { after: number; limit: number }): Promise<WireEvent[]> {
    return (await this.log.read(after, limit)).map(encode);
  }

  async readAt(positions: readonly number[]): Promise<WireEvent[]> {
    return (await this.log.readAt(positions)).map(encode);
  }

  around({ position: at }: { position: number }): Promise<{ head: number; next: number | null }> {
    return this.log.around(at);
  }

  head(): Promise<number> {
    return this.log.head();
  }

  async wait({ after }: { after: number }): Promise<number> {
    const wakeup = new Wakeup();
    const off = this.log.onWake(() => wakeup.wake());
    const deadline = performance.now() + WAIT_MS;
    try {
      for (;;) {
        const head = await this.log.head();
        const leftMs = deadline - performance.now();
        if (head > after || leftMs <= 0) return head;
        await wakeup.wait(Math.min(POLL_MS, leftMs));
      }
    } finally {
      off();
    }
  }
}

function encode(event: StoredEvent): WireEvent {
  const { position: at, streamId, version, type, tenantId, occurredAt, causation = null, traceparent = null } = event;
  const common = { position: at, streamId, version, type, tenantId, causation, traceparent };
  try {
    return { ...common, occurredAt: occurredAt.toISOString(), data: event.data };
  } catch (error) {
    return { ...common, occurredAt: occurredAt.toISOString(), data: null, unreadable: (error as Error).message };
  }
}

/** The event again, frozen like those of a log that is here. */
export function decode({ unreadable, occurredAt, data, ...rest }: WireEvent): StoredEvent {
  const event = { ...rest, occurredAt: new Date(occurredAt), data: deepFreeze(data) };
  if (unreadable !== undefined) {
    const get = () => {
      throw new Error(unreadable);
    };
    Object.defineProperty(event, 'data', { enumerable: true, get });
  }
  return Object.freeze(event);
}

function deepFreeze<T>(data: T): T {
  if (typeof data !== 'object' || data === null) return data;
  for (const value of Object.values(data)) deepFreeze(value);
  return Object.freeze(data);
}
