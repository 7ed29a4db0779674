import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { DEFAULT_OPT_OUT_SETTINGS, keywordFault, type OptOutSettings } from '../domain/opt-out-keywords.js';
import { OptOutSettingsRepository, type StoredSettings } from '../infrastructure/opt-out-settings.repository.js';
import { FindSender } from './find-sender.js';

/** The scope of what an account sets for all its senders. */
const ACCOUNT = '';

/** Settings as they hold for a scope. */
export interface SettingsView {
  readonly settings: OptOutSettings;
  /** When they were set for this very scope; null: they come from the account, or are the default ones. */
  readonly updatedAt: Date | null;
}

/** A number of an account that a message came to, and the service that it belongs to. */
export interface Receiver {
  readonly accountId: string;
  readonly number: string;
  readonly serviceId: string | null;
}

/** Which words ask for what, and what is answered: a number's own settings, else its service's, the account's, the default. */
@Injectable()
export class OptOutSettingsOf {
  constructor(
    private readonly stored: OptOutSettingsRepository,
    private readonly senders: FindSender,
  ) {}

  /** Those of a number or service (MG SID), or of the account. @throws Failure of FindSender */
  async get(accountId: string, sender: string | null): Promise<SettingsView> {
    const scope = await this.scopeOf(accountId, sender);
    const found = await this.stored.find([...new Set([scope, ACCOUNT])].map((one) => ({ accountId, scope: one })));
    const own = found.get(`${accountId}/${scope}`);
    const inherited = found.get(`${accountId}/${ACCOUNT}`)?.settings ?? DEFAULT_OPT_OUT_SETTINGS;
    return { settings: own?.settings ?? inherited, updatedAt: own?.updatedAt ?? null };
  }

  /** Sets them. @throws Failure of FindSender; invalid_parameter where one word means two things */
  async set(accountId: string, sender: string | null, settings: OptOutSettings): Promise<SettingsView> {
    const fault = keywordFault(settings);
    if (fault) {
      const field = `${fault.type.toLowerCase()}.keywords`;
      throw new Failure('invalid_parameter', { field, detail: `'${field}' ${fault.detail}` });
    }
    await this.stored.set(accountId, await this.scopeOf(accountId, sender), settings);
    return this.get(accountId, sender);
  }

  /** Lets go of what was set: what is inherited holds again. @throws Failure of FindSender */
  async reset(accountId: string, sender: string | null): Promise<void> {
    await this.stored.remove(accountId, await this.scopeOf(accountId, sender));
  }

  /** The settings for what came to each number, in their order; one look for all of them. */
  async of(receivers: readonly Receiver[]): Promise<OptOutSettings[]> {
    const scopesOf = ({ number, serviceId }: Receiver) => [number, ...(serviceId === null ? [] : [serviceId]), ACCOUNT];
    const found = await this.stored.find(
      receivers.flatMap((receiver) => scopesOf(receiver).map((scope) => ({ accountId: receiver.accountId, scope }))),
    );
    return receivers.map((receiver) => {
      const set = scopesOf(receiver).map((scope): StoredSettings | undefined =>
        found.get(`${receiver.accountId}/${scope}`),
      );
      return set.find((one) => one !== undefined)?.settings ?? DEFAULT_OPT_OUT_SETTINGS;
    });
  }

  private async scopeOf(accountId: string, sender: string | null): Promise<string> {
    return sender === null ? ACCOUNT : (await this.senders.either(accountId, sender, 'sender')).key;
  }
}
