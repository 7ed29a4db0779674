import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../platform/postgres/database.js';
import type { NewEvent } from '../../../shared/define-event.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid } from '../../../shared/sid.js';
import type { AccountState, Decision, Fact } from '../domain/account.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountsDatabase, AccountsLog } from '../infrastructure/accounts.storage.js';
import { AccountDirectory } from './account-directory.js';

/** What goes with a change of an account, in the same transaction. */
interface Beside {
  /** Looks at what the change rests on, before the account is locked; what it throws undoes everything. */
  readonly admit?: (tx: Queryable) => Promise<void>;
  /** What the change brings with it for each account that this one owns and that is not closed. */
  readonly decideOwned?: (owned: AccountState) => Decision;
}

interface Written {
  readonly account: AccountState;
  readonly events: NewEvent[];
}

/** How every change of an account is made: decided under its lock, written together with its events. */
@Injectable()
export class AccountChanges {
  constructor(
    private readonly db: AccountsDatabase,
    private readonly log: AccountsLog,
    private readonly repository: AccountsRepository,
    private readonly directory: AccountDirectory,
  ) {}

  /**
   * Locks the account, lets `decide` say what happens, writes the account with a version per fact, and the facts as
   * its events. `decide` may write rows of keys and numbers in the same transaction. Without facts nothing is written.
   *
   * @throws Failure `not_found` when there is no such account; whatever `decide` throws, which undoes everything
   */
  async change(
    accountSid: string,
    decide: (account: AccountState, tx: Queryable) => Decision | Promise<Decision>,
    { admit, decideOwned }: Beside = {},
  ): Promise<AccountState> {
    const id = parseSid('AC', accountSid);
    if (!id) throw new Failure('not_found');
    const { account, events } = await this.db.transaction(async (tx) => {
      await admit?.(tx);
      const current = await this.repository.lock(tx, id);
      if (!current) throw new Failure('not_found');
      const changed = await this.write(tx, current, await decide(current, tx));
      // Under the owner's lock, which opening another one takes too: none is left out.
      for (const owned of decideOwned ? await this.repository.lockOwned(tx, id) : []) {
        changed.events.push(...(await this.write(tx, owned, decideOwned!(owned))).events);
      }
      if (changed.events.length > 0) await this.log.append(tx, changed.events);
      return changed;
    });
    if (events.length > 0) this.announce(events);
    return account;
  }

  /**
   * Writes a new account with its opening event; null when there is one with its id already.
   *
   * @param admit looks at what the account rests on before it is written; what it throws undoes everything
   */
  async open(
    account: AccountState,
    sealedToken: Uint8Array,
    opened: Fact,
    admit: (tx: Queryable) => Promise<void>,
  ): Promise<AccountState | null> {
    const events = eventsOf(account.id, 0, [opened]);
    const saved = await this.db.transaction(async (tx) => {
      await admit(tx);
      const inserted = await this.repository.insert(tx, account, sealedToken);
      if (inserted) await this.log.append(tx, events);
      return inserted;
    });
    if (saved) this.announce(events);
    return saved;
  }

  /** Writes the row; its events are still to be appended. */
  private async write(tx: Queryable, current: AccountState, { account, facts }: Decision): Promise<Written> {
    if (facts.length === 0) return { account: current, events: [] };
    const saved = await this.repository.save(tx, { ...account, version: current.version + facts.length });
    return { account: saved, events: eventsOf(current.id, current.version, facts) };
  }

  /** After the commit: this process sees the change at once, consumers and other processes as they read the log. */
  private announce(events: readonly NewEvent[]): void {
    this.directory.on(events);
    this.log.wake();
  }
}

function eventsOf(accountId: string, version: number, facts: readonly Fact[]): NewEvent[] {
  return facts.map((fact, index) => ({
    type: fact.type,
    streamId: accountId,
    version: version + index + 1,
    tenantId: accountId,
    data: fact.data,
  }));
}
