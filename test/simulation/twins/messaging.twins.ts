import type { Place } from '../../../src/modules/messaging/domain/fair-queue.js';
import { type Message, WAITING } from '../../../src/modules/messaging/domain/message.js';
import type { MessageView } from '../../../src/modules/messaging/domain/message-view.js';
import type { OptOutKey } from '../../../src/modules/messaging/domain/opt-out.js';
import type {
  AccountStatus,
  AccountStatusesRepository,
} from '../../../src/modules/messaging/infrastructure/account-statuses.repository.js';
import type {
  DispatchRepository,
  Sendable,
} from '../../../src/modules/messaging/infrastructure/dispatch.repository.js';
import type {
  Ending,
  EndingsRepository,
  MessageKey,
} from '../../../src/modules/messaging/infrastructure/endings.repository.js';
import type {
  Claim,
  IdempotencyRepository,
} from '../../../src/modules/messaging/infrastructure/idempotency.repository.js';
import type { MessageViews } from '../../../src/modules/messaging/infrastructure/message-views.js';
import type { OptOutsRepository } from '../../../src/modules/messaging/infrastructure/opt-outs.repository.js';
import type {
  DueMessage,
  ScheduledRepository,
} from '../../../src/modules/messaging/infrastructure/scheduled.repository.js';
import type { SweepRepository } from '../../../src/modules/messaging/infrastructure/sweep.repository.js';
import type { Queryable } from '../../../src/platform/postgres/database.js';
import type { NewEvent } from '../../../src/shared/define-event.js';
import type { Database, Transaction } from './database.js';
import type { EndingRow, MessageRow, MessagesTwin, MessagingTables } from './messages.twin.js';

const REMEMBERED_MS = 24 * 3600 * 1000;

class Twin {
  constructor(
    protected readonly tables: MessagingTables,
    protected readonly db: Database,
  ) {}

  /** The messages that wait for a carrier, the oldest first. */
  protected waitingRows(): (MessageRow & { message: Message })[] {
    const rows = [...this.tables.messages.values()].filter((row): row is MessageRow & { message: Message } =>
      WAITING.includes(row.message.status as Message['status']),
    );
    return rows.sort((a, b) => (a.message.id < b.message.id ? -1 : 1));
  }
}

/** DispatchRepository's twin. */
export class DispatchTwin extends Twin implements Pick<DispatchRepository, 'places' | 'waiting' | 'sendable'> {
  places(limit: number): Promise<Place[]> {
    return this.db.look('find who waits', () => {
      const places = new Map<string, Place>();
      for (const { message } of this.waitingRows()) {
        const { queue, lane, accountId } = message;
        places.set([queue, lane, accountId].join('/'), { queue, lane, accountId });
      }
      return [...places.keys()]
        .sort()
        .slice(0, limit)
        .map((key) => places.get(key)!);
    });
  }

  waiting(places: readonly Place[], limits: readonly number[]): Promise<string[][]> {
    return this.db.look('read what waits', () => {
      const now = this.db.nowMs();
      const rows = this.waitingRows().filter(({ message }) => message.validUntil.getTime() > now);
      return places.map((place, index) => {
        if (this.tables.isHalted(place.accountId)) return [];
        const own = rows.filter(
          ({ message: m }) => m.queue === place.queue && m.lane === place.lane && m.accountId === place.accountId,
        );
        return own.slice(0, limits[index]).map(({ message }) => message.id);
      });
    });
  }

  sendable(keys: readonly { accountId: string; id: string }[]): Promise<Map<string, Sendable>> {
    return this.db.look('read what is sent', () => {
      const now = this.db.nowMs();
      const wanted = new Set(keys.map((key) => key.id));
      const rows = this.waitingRows().filter(
        ({ message: { id, accountId, validUntil } }) =>
          wanted.has(id) && validUntil.getTime() > now && !this.tables.isHalted(accountId),
      );
      return new Map(
        rows.map(({ message, direction, body, retryUnknown, hops }) => {
          const { id, accountId, queue, lane, from, to, validUntil, traceparent } = message;
          const isOptedOut = this.tables.isOptedOut(message, direction);
          return [
            id,
            { id, accountId, queue, lane, from, to, body, retryUnknown, validUntil, traceparent, hops, isOptedOut },
          ];
        }),
      );
    });
  }
}

/** EndingsRepository's twin. */
export class EndingsTwin extends Twin implements Pick<EndingsRepository, 'note' | 'left' | 'forget'> {
  note(endings: readonly Ending[]): Promise<void> {
    return this.db.run('note endings', [], () => {
      const { endings: rows } = this.tables;
      for (const ending of endings) {
        if (!rows.has(ending.id)) rows.set(ending.id, { ending, notedAtMs: this.db.nowMs() });
      }
    });
  }

  left(ageMs: number, limit: number): Promise<Ending[]> {
    return this.db.look('find endings that are left', () => {
      const isLeft = ({ ending, notedAtMs }: EndingRow) =>
        notedAtMs < this.db.nowMs() - ageMs || ending.reason === 'opted_out';
      const old = [...this.tables.endings.values()].filter(isLeft);
      return old.slice(0, limit).map((row) => row.ending);
    });
  }

  forget(tx: Queryable, keys: readonly MessageKey[]): Promise<void> {
    const remove = ({ writes }: Transaction) => {
      writes.push(() => {
        for (const { id } of keys) this.tables.endings.delete(id);
      });
    };
    return this.db.run('forget endings', [], remove, tx);
  }
}

/** AccountStatusesRepository's twin. */
export class StatusesTwin extends Twin implements Pick<AccountStatusesRepository, 'record' | 'waitingOfHalted'> {
  record(tx: Queryable, statuses: readonly AccountStatus[]): Promise<void> {
    const write = ({ writes }: Transaction) => {
      const { statuses: rows } = this.tables;
      writes.push(() => {
        for (const one of statuses)
          if (one.version > (rows.get(one.accountId)?.version ?? 0)) rows.set(one.accountId, one);
      });
    };
    return this.db.run('record statuses', [], write, tx);
  }

  /** One place at a time, by queue, lane and account. */
  waitingOfHalted(limit: number, after: Message | null): Promise<Message[]> {
    const placeOf = (m: Message) => [m.queue, m.lane, m.accountId].join('/');
    const keyOf = (m: Message) => `${placeOf(m)}/${m.id}`;
    return this.db.look('find what waits of halted accounts', () => {
      const rows = this.waitingRows().map(({ message }) => message);
      const behind = rows.filter((m) => this.tables.isHalted(m.accountId) && (!after || keyOf(m) > keyOf(after)));
      const sorted = behind.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      return sorted.filter((m) => placeOf(m) === placeOf(sorted[0]!)).slice(0, limit);
    });
  }
}

/** OptOutsRepository's twin. */
export class OptOutsTwin extends Twin implements Pick<OptOutsRepository, 'isOptedOut' | 'add' | 'remove'> {
  isOptedOut(accountId: string, recipient: string, senders: readonly string[]): Promise<boolean> {
    return this.db.look('look for an opt-out', () =>
      senders.some((sender) => this.tables.optOuts.has([accountId, recipient, sender].join('/'))),
    );
  }

  add(tx: Queryable, keys: readonly OptOutKey[]): Promise<number> {
    const texts = keys.map(({ accountId, recipient, sender }) => [accountId, recipient, sender].join('/'));
    const write = ({ writes }: Transaction) => {
      writes.push(() => {
        for (const key of texts) this.tables.optOuts.add(key);
      });
      return texts.filter((key) => !this.tables.optOuts.has(key)).length;
    };
    return this.db.run('add opt-outs', texts.map((key) => `opt-out/${key}`).sort(), write, tx);
  }

  /** Of senders that are named; those of a service's numbers are not told apart here. */
  remove(tx: Queryable, accountId: string, recipient: string, senders: readonly string[] | null): Promise<number> {
    const texts = (senders ?? []).map((sender) => [accountId, recipient, sender].join('/'));
    const write = ({ writes }: Transaction) => {
      writes.push(() => {
        for (const key of texts) this.tables.optOuts.delete(key);
      });
      return texts.filter((key) => this.tables.optOuts.has(key)).length;
    };
    return this.db.run('remove opt-outs', texts.map((key) => `opt-out/${key}`).sort(), write, tx);
  }
}

/** ScheduledRepository's twin; its places are in the order of instant and account. */
export class ScheduledTwin extends Twin implements Pick<ScheduledRepository, 'due' | 'save'> {
  constructor(
    tables: MessagingTables,
    db: Database,
    private readonly messages: Pick<MessagesTwin, 'save'>,
  ) {
    super(tables, db);
  }

  due(limit: number): Promise<DueMessage[]> {
    return this.db.look('find what is due', () => {
      const due = [...this.tables.messages.values()].flatMap(({ message, schedule }) =>
        schedule && message.status === 'scheduled' && schedule.sendAt.getTime() <= this.db.nowMs()
          ? [{ message: message as Message, schedule }]
          : [],
      );
      const placeOf = ({ message, schedule }: (typeof due)[number]) =>
        `${String(schedule.sendAt.getTime()).padStart(15)}/${message.accountId}`;
      const places = Map.groupBy(due, placeOf);
      const share = Math.max(1, Math.floor(limit / places.size));
      return [...places.keys()].sort().flatMap((place) => {
        const own = places.get(place)!.sort((a, b) => (a.message.id < b.message.id ? -1 : 1));
        return own.slice(0, share).map(({ message, schedule: { isFromAsked } }) => {
          return { message, isFromAsked, isHalted: this.tables.isHalted(message.accountId) };
        });
      });
    });
  }

  save(tx: Queryable, messages: readonly Message[], events: readonly NewEvent[]): Promise<() => void> {
    return this.messages.save(tx, messages, events);
  }
}

/** SweepRepository's twin. */
export class SweepTwin extends Twin implements Pick<SweepRepository, 'overdue' | 'position' | 'advance'> {
  overdue(graceMs: number, limit: number, after: Pick<Message, 'validUntil' | 'id'> | null = null): Promise<Message[]> {
    const place = (m: Pick<Message, 'validUntil' | 'id'>) => `${String(m.validUntil.getTime()).padStart(15)}/${m.id}`;
    return this.db.look('find what is overdue', () => {
      const open = [...this.tables.messages.values()].flatMap(({ message }) =>
        [...WAITING, 'sent'].includes(message.status) ? (message as Message) : [],
      );
      const overdue = open.filter((message) => message.validUntil.getTime() < this.db.nowMs() - graceMs);
      const behind = overdue.filter((message) => after === null || place(message) > place(after));
      return behind.sort((a, b) => (place(a) < place(b) ? -1 : 1)).slice(0, limit);
    });
  }

  position(name: string): Promise<string | null> {
    return this.db.look('read the sweep', () => this.tables.sweeps.get(name) ?? null);
  }

  advance(name: string, position: string): Promise<void> {
    return this.db.run('advance the sweep', [], () => {
      const before = this.tables.sweeps.get(name);
      if (before === undefined || before < position) this.tables.sweeps.set(name, position);
    });
  }
}

/** MessageViews' twin, as far as one message goes. */
export class ViewsTwin extends Twin implements Pick<MessageViews, 'find'> {
  find(accountId: string, id: string, options: { deleted?: boolean } = {}): Promise<MessageView | null> {
    return this.db.look('find a message', () => {
      const row = this.tables.find(id);
      if (!row || row.message.accountId !== accountId || (row.isDeleted && !options.deleted)) return null;
      const { body, createdAt, updatedAt, priceMicros, currency } = row;
      return {
        ...(row.message as Message),
        direction: row.direction,
        sendAt: row.schedule?.sendAt ?? null,
        body,
        createdAt,
        updatedAt,
        priceMicros,
        currency,
      };
    });
  }
}

/** IdempotencyRepository's twin. */
export class KeysTwin
  extends Twin
  implements Pick<IdempotencyRepository, 'claim' | 'read' | 'takeOver' | 'complete' | 'release'>
{
  async claim(accountId: string, key: string, hash: Buffer, messageId: string, lockMs: number): Promise<Claim> {
    const isMine = await this.db.run('claim a key', [], () => {
      const now = this.db.nowMs();
      const row = this.tables.keys.get(`${accountId}/${key}`);
      const isOld = row && row.createdAtMs < now - REMEMBERED_MS && (row.isDone || row.lockedUntilMs < now);
      if (row && !isOld) return false;
      const fresh = { hash: hash.toString('hex'), messageId, isDone: false };
      this.tables.keys.set(`${accountId}/${key}`, { ...fresh, lockedUntilMs: now + lockMs, createdAtMs: now });
      return true;
    });
    return isMine ? { kind: 'mine' } : ((await this.read(accountId, key, hash)) ?? { kind: 'running' });
  }

  read(accountId: string, key: string, hash: Buffer): Promise<Claim | null> {
    return this.db.look('read a key', (): Claim | null => {
      const now = this.db.nowMs();
      const row = this.tables.keys.get(`${accountId}/${key}`);
      if (!row || row.createdAtMs < now - REMEMBERED_MS) return null;
      if (row.hash !== hash.toString('hex')) return { kind: 'mismatch' };
      if (row.isDone) return { kind: 'answered', messageId: row.messageId };
      return row.lockedUntilMs > now ? { kind: 'running' } : { kind: 'stale', messageId: row.messageId };
    });
  }

  takeOver(accountId: string, key: string, stale: string, messageId: string, lockMs: number): Promise<boolean> {
    return this.db.run('take a key over', [], () => {
      const now = this.db.nowMs();
      const row = this.tables.keys.get(`${accountId}/${key}`);
      if (!row || row.messageId !== stale || row.isDone || row.lockedUntilMs > now) return false;
      Object.assign(row, { messageId, lockedUntilMs: now + lockMs });
      return true;
    });
  }

  complete(accountId: string, key: string, messageId: string): Promise<void> {
    return this.db.run('complete a key', [], () => {
      const row = this.tables.keys.get(`${accountId}/${key}`);
      if (row?.messageId === messageId) row.isDone = true;
    });
  }

  release(accountId: string, key: string, messageId: string): Promise<void> {
    return this.db.run('release a key', [], () => {
      const row = this.tables.keys.get(`${accountId}/${key}`);
      if (row?.messageId === messageId && !row.isDone) this.tables.keys.delete(`${accountId}/${key}`);
    });
  }
}
