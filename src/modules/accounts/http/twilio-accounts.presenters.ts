import { rfc2822 } from '../../../platform/http/rfc2822.js';
import { sidOf } from '../../../shared/sid.js';
import type { NewKey } from '../application/create-key.js';
import type { OwnAccountView } from '../application/read-own-accounts.js';
import type { ApiKey } from '../application/read-own-keys.js';
import type { PhoneNumber } from '../application/read-own-numbers.js';
import type { Account } from '../contract/accounts.api.js';

const API = '2010-04-01';
/** What hangs below an account here, by Twilio's names. */
const SUBRESOURCES = {
  balance: 'Balance',
  incoming_phone_numbers: 'IncomingPhoneNumbers',
  keys: 'Keys',
  messages: 'Messages',
  usage: 'Usage/Records',
};

/** An account as Twilio's API has it. One that is still being set up can do as much as a suspended one, and is shown so. */
export function presentTwilioAccount({ account, authToken }: Omit<OwnAccountView, 'id'>) {
  const uri = `/${API}/Accounts/${account.sid}`;
  const paths = Object.entries(SUBRESOURCES).map(([name, path]) => [name, `${uri}/${path}.json`]);
  return {
    auth_token: authToken,
    date_created: rfc2822(new Date(account.createdAt)),
    date_updated: rfc2822(new Date(account.updatedAt)),
    friendly_name: account.friendlyName,
    // Twilio's own accounts name themselves here.
    owner_account_sid: account.ownerAccountSid ?? account.sid,
    sid: account.sid,
    status: statusOf(account),
    subresource_uris: Object.fromEntries(paths),
    type: 'Full',
    uri: `${uri}.json`,
  };
}

function statusOf({ status }: Account) {
  return status === 'provisioning' ? 'suspended' : status;
}

/** An API key as Twilio's API has it, without its secret. */
export function presentTwilioKey(key: ApiKey) {
  return {
    sid: sidOf('SK', key.id),
    friendly_name: key.friendlyName,
    date_created: rfc2822(key.createdAt),
    date_updated: rfc2822(key.updatedAt),
  };
}

/** A new API key, with the secret that is shown once. */
export function presentNewTwilioKey(key: NewKey) {
  const created = rfc2822(key.createdAt);
  return {
    sid: key.sid,
    friendly_name: key.friendlyName,
    date_created: created,
    date_updated: created,
    secret: key.secret,
  };
}

/** A phone number as Twilio's API has it: it sends and receives SMS, and nothing else. */
export function presentTwilioNumber(number: PhoneNumber) {
  const accountSid = sidOf('AC', number.accountId);
  const sid = sidOf('PN', number.id);
  return {
    account_sid: accountSid,
    address_requirements: 'none',
    address_sid: null,
    api_version: API,
    beta: false,
    bundle_sid: null,
    capabilities: { fax: false, mms: false, sms: true, voice: false },
    date_created: rfc2822(number.createdAt),
    date_updated: rfc2822(number.updatedAt),
    emergency_address_sid: null,
    emergency_address_status: 'unregistered',
    emergency_status: 'Inactive',
    friendly_name: number.friendlyName ?? number.phoneNumber,
    identity_sid: null,
    // It comes from a carrier of the operator's.
    origin: 'hosted',
    phone_number: number.phoneNumber,
    sid,
    sms_application_sid: null,
    sms_fallback_method: number.smsFallbackMethod,
    sms_fallback_url: number.smsFallbackUrl,
    sms_method: number.smsMethod,
    sms_url: number.smsUrl,
    status: 'in-use',
    status_callback: null,
    status_callback_method: null,
    trunk_sid: null,
    type: null,
    uri: `/${API}/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}.json`,
    voice_application_sid: null,
    voice_caller_id_lookup: false,
    voice_fallback_method: null,
    voice_fallback_url: null,
    voice_method: null,
    voice_receive_mode: 'voice',
    voice_url: null,
  };
}
