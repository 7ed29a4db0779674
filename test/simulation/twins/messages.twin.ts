import type { Direction, Message, MessageStatus } from '../../../src/modules/messaging/domain/message.js';
import type { Schedule } from '../../../src/modules/messaging/domain/schedule.js';
import type { AccountStatus } from '../../../src/modules/messaging/infrastructure/account-statuses.repository.js';
import type { Ending } from '../../../src/modules/messaging/infrastructure/endings.repository.js';
import type {
  Appended,
  MessagesRepository,
  NewMessage,
} from '../../../src/modules/messaging/infrastructure/messages.repository.js';
import type { Queryable } from '../../../src/platform/postgres/database.js';
import type { NewEvent } from '../../../src/shared/define-event.js';
import type { Database, Transaction } from './database.js';
import type { LogTable, LogTwin } from './event-log.twin.js';

export interface MessageRow {
  message: Omit<Message, 'status'> & { readonly status: MessageStatus | 'abandoned' };
  readonly direction: Direction;
  body: string;
  readonly retryUnknown: boolean;
  readonly priceMicros: number;
  readonly currency: string;
  readonly schedule: Schedule | null;
  readonly createdAt: Date;
  updatedAt: Date;
  isDeleted: boolean;
  readonly hops: number;
}

export interface KeyRow {
  hash: string;
  messageId: string;
  isDone: boolean;
  lockedUntilMs: number;
  createdAtMs: number;
}

export interface EndingRow {
  readonly ending: Ending;
  readonly notedAtMs: number;
}

export class MessagingTables {
  readonly messages = new Map<string, MessageRow>();
  readonly keys = new Map<string, KeyRow>();
  readonly sweeps = new Map<string, string>();
  readonly endings = new Map<string, EndingRow>();
  readonly statuses = new Map<string, AccountStatus>();
  /** `<account>/<recipient>/<sender>` */
  readonly optOuts = new Set<string>();

  constructor(readonly log: LogTable) {}

  isHalted(accountId: string): boolean {
    return this.statuses.get(accountId)?.halted === true;
  }

  isOptedOut(pair: Pick<Message, 'accountId' | 'to' | 'from' | 'serviceId'>, direction: Direction): boolean {
    if (direction === 'outbound-keyword') return false;
    const senders = pair.serviceId === null ? [pair.from] : [pair.from, pair.serviceId];
    return senders.some((sender) => this.optOuts.has([pair.accountId, pair.to, sender].join('/')));
  }

  /** The message of an id, unless its saga was given up. */
  find(id: string): MessageRow | null {
    const row = this.messages.get(id);
    return row && row.message.status !== 'abandoned' ? row : null;
  }
}

interface Key {
  readonly accountId: string;
  readonly id: string;
}

/** MessagesRepository's twin. Events are what a subscriber of its log hears of. */
export class MessagesTwin
  implements Pick<MessagesRepository, 'append' | 'lock' | 'save' | 'erase' | 'abandon' | 'existing'>
{
  constructor(
    protected readonly tables: MessagingTables,
    protected readonly db: Database,
    protected readonly log: LogTwin,
  ) {}

  async append(items: readonly NewMessage[]): Promise<Appended> {
    const written = await this.db.run('append messages', [this.tables.log.headRow], (tx) => this.insert(tx, items));
    if (written.createdAt.size > 0) this.log.wake();
    return written;
  }

  protected insert(tx: Transaction, items: readonly NewMessage[]): Appended {
    const now = this.db.nowMs();
    const createdAt = new Date(now);
    const timely = items.filter((item) => now < item.deadlineMs);
    const optedOut = timely.filter((item) => this.tables.isOptedOut(item.message, item.direction ?? 'outbound-api'));
    const fresh = timely.filter((item) => !optedOut.includes(item) && !this.tables.messages.has(item.message.id));
    for (const item of fresh) {
      const {
        message,
        direction = 'outbound-api',
        schedule = null,
        body,
        retryUnknown,
        idempotencyKey,
        hops = 0,
      } = item;
      const price = { priceMicros: item.priceMicros, currency: item.currency };
      const row = {
        direction,
        body,
        retryUnknown,
        ...price,
        schedule,
        createdAt,
        updatedAt: createdAt,
        isDeleted: false,
        hops,
      };
      this.tables.messages.set(message.id, { message, ...row });
      const key = idempotencyKey === null ? undefined : this.tables.keys.get(`${message.accountId}/${idempotencyKey}`);
      if (key?.messageId === message.id) key.isDone = true;
    }
    this.tables.log.insert(
      tx,
      fresh.map((item) => item.event),
      now,
    );
    return {
      createdAt: new Map(fresh.map((item) => [item.message.id, createdAt])),
      optedOut: fresh.length === items.length ? new Set() : new Set(optedOut.map((item) => item.message.id)),
    };
  }

  lock(tx: Queryable, keys: readonly Key[]): Promise<Map<string, Message>> {
    const ids = keys.map((key) => key.id).sort();
    return this.db.run(
      'lock messages',
      ids.map((id) => `message/${id}`),
      () => {
        const rows = ids.flatMap((id) => this.tables.find(id) ?? []);
        return new Map(rows.map(({ message }) => [message.id, message as Message]));
      },
      tx,
    );
  }

  async save(tx: Queryable, messages: readonly Message[], events: readonly NewEvent[]): Promise<() => void> {
    if (messages.length === 0) return () => undefined;
    const update = ({ writes }: Transaction) => {
      const updatedAt = new Date(this.db.nowMs());
      writes.push(() => {
        for (const message of messages) Object.assign(this.tables.messages.get(message.id)!, { message, updatedAt });
      });
    };
    await this.db.run('save messages', [], update, tx);
    await this.log.append(tx, events);
    return () => this.log.wake();
  }

  async erase(tx: Queryable, message: Message, remove: boolean): Promise<void> {
    const update = ({ writes }: Transaction) => {
      writes.push(() => {
        const row = this.tables.messages.get(message.id)!;
        row.body = '';
        row.isDeleted ||= remove;
      });
    };
    await this.db.run('erase', [], update, tx);
  }

  async abandon(keys: readonly Key[]): Promise<string[]> {
    if (keys.length === 0) return [];
    await this.db.run('abandon', [], () => {
      for (const key of keys) if (!this.tables.messages.has(key.id)) this.tables.messages.set(key.id, tombstone(key));
    });
    return this.db.look('find what is abandoned', () =>
      [...new Set(keys.map(({ id }) => id))].filter(
        (id) => this.tables.messages.get(id)?.message.status === 'abandoned',
      ),
    );
  }

  existing(keys: readonly Key[]): Promise<Set<string>> {
    return this.db.look('find messages', () => {
      return new Set(keys.flatMap(({ id }) => (this.tables.find(id) ? id : [])));
    });
  }
}

function tombstone({ accountId, id }: Key): MessageRow {
  const now = new Date(0);
  const empty = { from: '', to: '', segments: 0, serviceId: null, callbackUrl: null, carrier: null, receipts: 0n };
  const rest = { errorCode: null, sentAt: null, validUntil: now, traceparent: null };
  const message = {
    ...empty,
    ...rest,
    id,
    accountId,
    version: 0,
    status: 'abandoned',
    lane: 'normal',
    queue: '',
  } as const;
  const none = { direction: 'outbound-api', body: '', retryUnknown: false, priceMicros: 0, currency: '' } as const;
  return { message, ...none, schedule: null, createdAt: now, updatedAt: now, isDeleted: true, hops: 0 };
}
