import { Global, Module } from '@nestjs/common';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { provideStorage } from '../../platform/module-storage.js';
import { AccountChanges } from './application/account-changes.js';
import { AccountDirectory } from './application/account-directory.js';
import { AccountsFacade } from './application/accounts.facade.js';
import { AssignPhoneNumber } from './application/assign-phone-number.js';
import { Authenticate } from './application/authenticate.js';
import { AwaitProvisioning } from './application/await-provisioning.js';
import { ChangeAccount } from './application/change-account.js';
import { ChangeOwnAccount } from './application/change-own-account.js';
import { ChangePhoneNumber } from './application/change-phone-number.js';
import { CompleteProvisioning } from './application/complete-provisioning.js';
import { CreateKey } from './application/create-key.js';
import { FindAccount } from './application/find-account.js';
import { FindPhoneNumber } from './application/find-phone-number.js';
import { ListAccounts } from './application/list-accounts.js';
import { ListKeys } from './application/list-keys.js';
import { ListPhoneNumbers } from './application/list-phone-numbers.js';
import { OpenAccount } from './application/open-account.js';
import { OpenDemoAccount } from './application/open-demo-account.js';
import { OpenSubaccount } from './application/open-subaccount.js';
import { ReadOwnAccounts } from './application/read-own-accounts.js';
import { ReadOwnKeys } from './application/read-own-keys.js';
import { ReadOwnNumbers } from './application/read-own-numbers.js';
import { RejectProvisioning } from './application/reject-provisioning.js';
import { ReleasePhoneNumber } from './application/release-phone-number.js';
import { RenameKey } from './application/rename-key.js';
import { RevokeKey } from './application/revoke-key.js';
import { RotateAuthToken } from './application/rotate-auth-token.js';
import { AccountsApi } from './contract/accounts.api.js';
import { AccountsDemo } from './contract/accounts.demo.js';
import { ACCOUNTS_EVENTS } from './contract/accounts.events.js';
import { AccountsController } from './http/accounts.controller.js';
import { KeysController } from './http/keys.controller.js';
import { PhoneNumbersController } from './http/phone-numbers.controller.js';
import { TwilioAccountsController } from './http/twilio-accounts.controller.js';
import { TwilioKeysController } from './http/twilio-keys.controller.js';
import { TwilioNumbersController } from './http/twilio-numbers.controller.js';
import { AccountsOrm } from './infrastructure/accounts.orm.js';
import { AccountsQueries } from './infrastructure/accounts.queries.js';
import { AccountsRepository } from './infrastructure/accounts.repository.js';
import { AccountsConsumers, AccountsDatabase, AccountsLog } from './infrastructure/accounts.storage.js';

const STORAGE = { database: AccountsDatabase, log: AccountsLog, consumers: AccountsConsumers };

/** Who somebody is, what an account may do, which numbers it owns. */
@Global()
@Module({
  providers: [
    ...provideStorage('accounts', STORAGE, ACCOUNTS_EVENTS),
    AccountsOrm,
    AccountsQueries,
    AccountsRepository,
    AccountDirectory,
    AccountChanges,
    AssignPhoneNumber,
    Authenticate,
    AwaitProvisioning,
    ChangeAccount,
    CompleteProvisioning,
    CreateKey,
    FindAccount,
    FindPhoneNumber,
    ChangeOwnAccount,
    ChangePhoneNumber,
    ReadOwnKeys,
    OpenSubaccount,
    ReadOwnAccounts,
    ReadOwnNumbers,
    ReleasePhoneNumber,
    RenameKey,
    ListAccounts,
    ListKeys,
    ListPhoneNumbers,
    OpenAccount,
    OpenDemoAccount,
    RejectProvisioning,
    RevokeKey,
    RotateAuthToken,
    AccountsFacade,
    { provide: AccountsApi, useExisting: AccountsFacade },
    { provide: AccountsDemo, useExisting: OpenDemoAccount },
  ],
  controllers: [
    AccountsController,
    PhoneNumbersController,
    KeysController,
    TwilioAccountsController,
    TwilioKeysController,
    TwilioNumbersController,
  ],
  exports: [AccountsApi, AccountsDemo],
})
export class AccountsModule {
  constructor(bus: EventBus, directory: AccountDirectory) {
    bus.tail(directory);
  }
}
