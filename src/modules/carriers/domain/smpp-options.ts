/** What the answer to a submission, or to a bind, means; see error-classes.ts for what it means by itself. */
export const RESULT_CLASSES = ['throttled', 'retryable', 'bind_fatal', 'permanent', 'unknown'] as const;
export type ResultClass = (typeof RESULT_CLASSES)[number];

export const CONCATENATIONS = ['udh', 'sar', 'payload'] as const;

/** What a carrier means by one of its statuses. */
export interface ResultOverride {
  readonly class: ResultClass;
  /** The error code of the message, where it is refused for good; null for the usual one. */
  readonly errorCode: number | null;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How one carrier wants SMPP. */
export interface SmppOptions {
  /** How many times it is bound; the window is that of each. */
  readonly binds: number;
  /** Where else it listens: a bind that is lost, or not to be had, is tried at the next address in turn. */
  readonly alternates: readonly Address[];
  /** How a message of several segments goes: with a header in each, with sar_ parameters, or as one payload. */
  readonly concatenation: (typeof CONCATENATIONS)[number];
  /** By status, written as 0x0B. */
  readonly resultOverrides: Readonly<Record<string, ResultOverride>>;
}

export const USUAL_SMPP: SmppOptions = { binds: 1, alternates: [], concatenation: 'udh', resultOverrides: {} };

/** A command_status as it is written. */
export function statusName(commandStatus: number): string {
  return `0x${commandStatus.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Whether both say the same, in whatever order. */
export function isSameSmpp(one: SmppOptions, other: SmppOptions): boolean {
  return canonical(one) === canonical(other);
}

function canonical({ binds, alternates, concatenation, resultOverrides }: SmppOptions): string {
  const overrides = Object.entries(resultOverrides).map(([status, { class: kind, errorCode }]) =>
    JSON.stringify([status, kind, errorCode]),
  );
  const addresses = alternates.map(({ host, port }) => [host, port]);
  return JSON.stringify([binds, addresses, concatenation, overrides.sort()]);
}
