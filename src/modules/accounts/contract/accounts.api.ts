import { z } from 'zod';
import { ACCOUNT_STATUSES, principalSchema, TIERS, UNKNOWN_OUTCOME_POLICIES } from '../../../shared/principal.js';

export const credentialsSchema = z.object({ username: z.string().max(64), password: z.string().max(256) });
export type Credentials = z.infer<typeof credentialsSchema>;

export const accountSchema = z.object({
  sid: z.string(),
  friendlyName: z.string(),
  tier: z.enum(TIERS),
  status: z.enum(ACCOUNT_STATUSES),
  /** Why it was closed; null unless it is. */
  closeReason: z.string().nullable(),
  ownerAccountSid: z.string().nullable(),
  messagesPerMinute: z.int().nullable(),
  messagesPerSecond: z.int().nullable(),
  messagesPerDay: z.int().nullable(),
  unknownOutcome: z.enum(UNKNOWN_OUTCOME_POLICIES),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Account = z.infer<typeof accountSchema>;

export const SMS_METHODS = ['GET', 'POST'] as const;
export type SmsMethod = (typeof SMS_METHODS)[number];

/** A phone number that an account owns, with what its customer has set to be asked when a message comes in to it. */
export const ownedNumberSchema = z.object({
  /** E.164, or a short code. */
  phoneNumber: z.string(),
  /** Its own SID, `PN…`. */
  sid: z.string(),
  accountSid: z.string(),
  /** Absolute http or https URL that is asked what to do with an incoming message; null: nobody is asked. */
  smsUrl: z.string().nullable(),
  smsMethod: z.enum(SMS_METHODS),
  /** Asked where `smsUrl` cannot be reached or gives no usable answer; null: nobody is. */
  smsFallbackUrl: z.string().nullable(),
  smsFallbackMethod: z.enum(SMS_METHODS),
  accountStatus: z.enum(ACCOUNT_STATUSES),
});
export type OwnedNumber = z.infer<typeof ownedNumberSchema>;

export const senderQuerySchema = z.object({ accountSid: z.string(), phoneNumber: z.string() });

export const numberQuerySchema = z.object({ accountSid: z.string(), phoneNumberSid: z.string() });
export const namedNumberSchema = z.object({ sid: z.string(), phoneNumber: z.string() });
export type NamedNumber = z.infer<typeof namedNumberSchema>;

export const authenticateOutput = principalSchema.nullable();
export const accountSidInput = z.object({ accountSid: z.string() });
export const rejectProvisioningInput = z.object({ accountSid: z.string(), reason: z.string().max(200) });
export const findPhoneNumbersInput = z.array(z.string()).max(1000);
export const signingKeysInput = z.array(z.string()).max(1000);
export const signingKeysOutput = z.record(z.string(), z.string());

/**
 * What accounts offers: who somebody is, what an account may do, which numbers it owns, and the keys that sign what is
 * sent to it. Every call is idempotent; arguments and results are plain data.
 */
export abstract class AccountsApi {
  /**
   * Who these credentials belong to: an account SID with its auth token, or an API key with its secret. Null: nobody,
   * or an account that is closed. An account that is suspended or still provisioning is told by its status.
   */
  abstract authenticate(credentials: Credentials): Promise<z.infer<typeof principalSchema> | null>;

  /** The account, or null. */
  abstract getAccount(input: z.infer<typeof accountSidInput>): Promise<Account | null>;

  /** Whether the account owns the number (E.164, or a short code) and may send from it. */
  abstract ownsNumber(input: z.infer<typeof senderQuerySchema>): Promise<boolean>;

  /**
   * Who owns these numbers, and whom they ask about an incoming message; for each number once, in no given order.
   * Numbers that nobody owns, and texts that are no numbers, are left out. Answered from the process's own cache, as
   * `ownsNumber` is: a change is seen in the process that made it at once, in every other within moments.
   *
   * @param numbers E.164, or short codes, as they were assigned; at most 1000
   */
  abstract findPhoneNumbers(numbers: readonly string[]): Promise<OwnedNumber[]>;
  /** The account's number (E.164, or a short code) with this PN SID; null: it owns none such. */
  abstract getPhoneNumber(input: z.infer<typeof numberQuerySchema>): Promise<NamedNumber | null>;

  /** The auth tokens that sign callbacks, by account SID; unknown accounts are left out. */
  abstract signingKeys(accountSids: readonly string[]): Promise<Record<string, string>>;

  /**
   * Billing has opened the ledger of the account: it becomes active. One that has left provisioning stays what it is.
   *
   * @throws Failure `not_found`
   */
  abstract completeProvisioning(input: z.infer<typeof accountSidInput>): Promise<void>;

  /**
   * Billing cannot open the ledger of the account: it is closed, for a reason that operators see.
   *
   * @throws Failure `not_found`; `conflict` when the account is in use already
   */
  abstract rejectProvisioning(input: z.infer<typeof rejectProvisioningInput>): Promise<void>;
}

/** The schemas of each call's argument and result: what is checked where the contract crosses a network. */
export const accountsContract = {
  authenticate: { input: credentialsSchema, output: authenticateOutput },
  getAccount: { input: accountSidInput, output: accountSchema.nullable() },
  ownsNumber: { input: senderQuerySchema, output: z.boolean() },
  findPhoneNumbers: { input: findPhoneNumbersInput, output: z.array(ownedNumberSchema).max(1000) },
  getPhoneNumber: { input: numberQuerySchema, output: namedNumberSchema.nullable() },
  signingKeys: { input: signingKeysInput, output: signingKeysOutput },
  completeProvisioning: { input: accountSidInput, output: z.void() },
  rejectProvisioning: { input: rejectProvisioningInput, output: z.void() },
} satisfies Record<keyof AccountsApi, { input: z.ZodType; output: z.ZodType }>;
