import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { ContractSchemas } from '../../src/platform/remote/wire.js';
import { Failure, type FailureName, type FailureOptions, isFailure } from '../../src/shared/failure.js';

/** How a contract is reached: the suites of contracts run once each way. */
export type Reach = <Api extends object>(api: Api, schemas: ContractSchemas<Api>) => Api;

export const WAYS: [string, Reach][] = [
  ['in process', (api) => api],
  ['over the wire', overTheWire],
];

/**
 * The contract as a client elsewhere would see it: arguments, results and failures cross as JSON and are checked
 * against the contract's schemas, which must know every field. The answer to the first attempt of every call is lost,
 * so that the client asks again: what is not idempotent shows itself.
 *
 * @param schemas for every call of the contract
 */
export function overTheWire<Api extends object>(api: Api, schemas: ContractSchemas<Api>): Api {
  const calls = Object.entries(schemas) as [keyof Api & string, { input: z.ZodType; output: z.ZodType }][];
  const client = calls.map(([name, { input, output }]) => {
    const call = async (argument: unknown) => {
      const sent = cross(input, argument, `argument of ${name}`);
      await serve(api, name, sent).catch(() => undefined);
      return cross(output, await serve(api, name, sent), `result of ${name}`);
    };
    return [name, call] as const;
  });
  return Object.fromEntries(client) as Api;
}

async function serve<Api extends object>(api: Api, name: keyof Api & string, argument: unknown): Promise<unknown> {
  const implementation = api[name] as (input: unknown) => Promise<unknown>;
  try {
    return await implementation.call(api, argument);
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { failure, options } = JSON.parse(JSON.stringify({ failure: error.failure, options: error.options }));
    throw new Failure(failure as FailureName, options as FailureOptions);
  }
}

/** A value after it has crossed: what JSON or the schema does not carry is an error here, not a surprise later. */
function cross(schema: z.ZodType, value: unknown, what: string): unknown {
  const carried: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  const parsed = schema.safeParse(carried);
  if (!parsed.success) throw new Error(`the ${what} is not what the contract says: ${parsed.error.message}`);
  if (!isDeepStrictEqual(carried, parsed.data)) throw new Error(`the ${what} has more than the contract says`);
  return carried;
}
