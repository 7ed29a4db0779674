import { Injectable } from '@nestjs/common';
import type { Account } from '../contract/accounts.api.js';
import { AccountsQueries } from '../infrastructure/accounts.queries.js';

/** Lists all accounts, newest first. */
@Injectable()
export class ListAccounts {
  constructor(private readonly queries: AccountsQueries) {}

  /** @param afterId id of the last account of the page before; null for the first page */
  async list(afterId: string | null, limit: number): Promise<Account[]> {
    return this.queries.accounts(afterId, limit);
  }
}
