import { z } from 'zod';
import {
  CONCATENATIONS,
  RESULT_CLASSES,
  type ResultOverride,
  type SmppOptions,
  statusName,
  USUAL_SMPP,
} from '../domain/smpp-options.js';

const MAX_BINDS = 20;
const MAX_ALTERNATES = 10;
const MAX_OVERRIDES = 200;
/** Twilio's codes have five digits. */
const [LEAST_ERROR_CODE, MOST_ERROR_CODE] = [10_000, 99_999];

export const host = z
  .string()
  .regex(/^[A-Za-z0-9:](?:[A-Za-z0-9.:_-]{0,251}[A-Za-z0-9.:])?$/, 'must be a host name or an IP address');
export const port = z.int().min(1).max(65_535);

const resultClass = z.enum(RESULT_CLASSES);
const override = z.union(
  [
    resultClass,
    z.strictObject({
      class: z.literal('permanent'),
      /** What the message ends with. */
      error_code: z.int().min(LEAST_ERROR_CODE).max(MOST_ERROR_CODE),
    }),
  ],
  {
    error: `must be ${RESULT_CLASSES.join(', ')}, or {"class": "permanent", "error_code": ${LEAST_ERROR_CODE} to ${MOST_ERROR_CODE}}`,
  },
);
const resultOverrides = z.record(z.string(), override).superRefine((overrides, context) => {
  const statuses = Object.keys(overrides);
  if (statuses.length > MAX_OVERRIDES) context.addIssue({ code: 'custom', message: `are at most ${MAX_OVERRIDES}` });
  const seen = new Set<number>([0]);
  for (const status of statuses.slice(0, MAX_OVERRIDES)) {
    const isStatus = /^0x[0-9A-Fa-f]{1,8}$/.test(status);
    const problem = !isStatus
      ? 'must be a command_status such as 0x0B'
      : Number(status) === 0
        ? '0x00 is no error'
        : seen.has(Number(status))
          ? 'is there twice'
          : null;
    if (problem) context.addIssue({ code: 'custom', message: problem, path: [status] });
    seen.add(Number(status));
  }
});

const binds = z.int().min(1).max(MAX_BINDS);
const alternates = z.array(z.strictObject({ host, port })).max(MAX_ALTERNATES);
const concatenation = z.enum(CONCATENATIONS);

/** How a new carrier wants SMPP. */
export const smppShape = {
  binds: binds.default(USUAL_SMPP.binds),
  alternates: alternates.default([]),
  concatenation: concatenation.default(USUAL_SMPP.concatenation),
  result_overrides: resultOverrides.default({}),
};

/** The same of a carrier that is changed; tables and lists are replaced as a whole. */
export const smppChangeShape = {
  binds: binds.optional(),
  alternates: alternates.optional(),
  concatenation: concatenation.optional(),
  result_overrides: resultOverrides.optional(),
};

interface SmppBody {
  readonly binds?: number | undefined;
  readonly alternates?: SmppOptions['alternates'] | undefined;
  readonly concatenation?: SmppOptions['concatenation'] | undefined;
  readonly result_overrides?: Readonly<Record<string, z.infer<typeof override>>> | undefined;
}

/** What a body says of SMPP, beside the rest of it; `smpp` is left out where it says nothing. */
export function splitSmpp<T extends SmppBody>(
  body: T,
): { rest: Omit<T, keyof SmppBody>; smpp: Partial<SmppOptions> | undefined } {
  const { binds: n, alternates: more, concatenation: how, result_overrides: overrides, ...rest } = body;
  const smpp: Partial<SmppOptions> = {
    ...(n === undefined ? {} : { binds: n }),
    ...(more === undefined ? {} : { alternates: more }),
    ...(how === undefined ? {} : { concatenation: how }),
    ...(overrides === undefined ? {} : { resultOverrides: toOverrides(overrides) }),
  };
  return { rest, smpp: Object.keys(smpp).length === 0 ? undefined : smpp };
}

/** How a carrier wants SMPP, as operators write it. */
export function presentSmpp({
  binds: n,
  alternates: more,
  concatenation: how,
  resultOverrides: overrides,
}: SmppOptions) {
  const written = ({ class: kind, errorCode }: ResultOverride) =>
    errorCode === null ? kind : { class: kind, error_code: errorCode };
  return {
    binds: n,
    alternates: more,
    concatenation: how,
    result_overrides: Object.fromEntries(Object.entries(overrides).map(([status, one]) => [status, written(one)])),
  };
}

function toOverrides(given: NonNullable<SmppBody['result_overrides']>): SmppOptions['resultOverrides'] {
  return Object.fromEntries(
    Object.entries(given).map(([status, one]) => [
      statusName(Number(status)),
      typeof one === 'string' ? { class: one, errorCode: null } : { class: one.class, errorCode: one.error_code },
    ]),
  );
}
