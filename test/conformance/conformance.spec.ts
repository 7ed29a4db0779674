import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { UNSUPPORTED } from '../../src/app/http/docs/unsupported.js';
import { DEMO_SID } from '../support/product.js';
import { errorFaultsOf } from './answers.js';
import { Check, type OperationOutcome } from './check.js';
import { DIFFERENT, REFUSED } from './differences.js';
import { nameOf, OPERATIONS, type Operation, optionsOf, shapeOf } from './facts.js';
import { Sdk } from './sdk.js';
import { Stage } from './stage.js';
import { conformancePage } from './table.js';

/** `UPDATE_CONFORMANCE=1` writes the page that tells what was found. */
const isUpdate = process.env.UPDATE_CONFORMANCE === '1';
const PAGE = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url));
const GUIDE = fileURLToPath(new URL('../../docs/twilio.md', import.meta.url));
const START_MS = 120_000;
const CHECK_MS = 60_000;

interface Linking {
  readonly uri: string;
  readonly subresource_uris: Readonly<Record<string, string>>;
  readonly messages?: readonly Linking[];
  readonly usage_records?: readonly Linking[];
  readonly incoming_phone_numbers?: readonly Linking[];
}

let stage: Stage;
let sdk: Sdk;
/** Method and shape of every route that the product describes. */
let routes: Set<string>;
const outcomes = new Map<string, OperationOutcome>();

beforeAll(async () => {
  stage = await Stage.start();
  sdk = new Sdk(stage.product.url);
  const { paths } = JSON.parse((await stage.ask('GET', '/openapi.json')).text) as { paths: Record<string, object> };
  const methods = Object.entries(paths).map(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${shapeOf(path)}`),
  );
  routes = new Set(methods.flat());
}, START_MS);

afterAll(() => stage?.stop(), CHECK_MS);

const isThere = (operation: Operation) => routes.has(shapeOf(nameOf(operation)));

it('has every operation', () => {
  expect(OPERATIONS.length).toBeGreaterThan(40);
  expect(OPERATIONS.filter((operation) => !isThere(operation)).map(nameOf)).toEqual([]);
});

it('names differences of operations and parameters that exist', () => {
  for (const [name, parameters] of Object.entries(DIFFERENT)) {
    const operation = OPERATIONS.find((each) => nameOf(each) === name);
    expect([name, operation !== undefined]).toEqual([name, true]);
    const known = optionsOf(operation!).map((parameter) => parameter.name);
    expect([name, Object.keys(parameters).filter((parameter) => !known.includes(parameter))]).toEqual([name, []]);
  }
  for (const name of Object.keys(REFUSED)) expect(OPERATIONS.map(nameOf)).toContain(name);
});

it.each(OPERATIONS.map((operation) => [nameOf(operation), operation] as const))(
  '%s is as described, but for what is known',
  async (name, operation) => {
    const known = DIFFERENT[name] ?? {};
    const ignored = Object.keys(known).filter((parameter) => known[parameter]!.outcome === 'ignored');
    const outcome = await new Check(stage, sdk, operation, ignored).run();
    outcomes.set(name, outcome);
    expect(outcome.faults).toEqual([]);
    expect(outcome.requests).toBeGreaterThanOrEqual(2);
    expect(outcome.refused).toBe(REFUSED[name]?.outcome ?? null);
    // A list that is always empty has no second page to ask for.
    expect(outcome.untried).toEqual(name.endsWith('/Media.json') ? ['PageToken'] : []);
    for (const { name: parameter, outcome: found } of outcome.parameters) {
      const difference = known[parameter]?.outcome;
      // Of what the answer does not show, it cannot be seen that it is ignored.
      const expected = difference === 'ignored' && found === 'taken' ? 'taken' : (difference ?? 'as described');
      expect([parameter, found === 'shown' || (found === 'taken' && !difference) ? 'as described' : found]).toEqual([
        parameter,
        expected,
      ]);
    }
  },
  CHECK_MS,
);

it('links to what is there', async () => {
  const account = `/2010-04-01/Accounts/${DEMO_SID}`;
  const read = async (path: string) => JSON.parse((await stage.ask('GET', path)).text) as Linking;
  const messages = await read(`${account}/Messages.json?PageSize=1`);
  const usage = await read(`${account}/Usage/Records.json?PageSize=1`);
  const numbers = await read(`${account}/IncomingPhoneNumbers.json?PageSize=1`);
  const linking = [await read(`${account}.json`), messages.messages![0]!, usage.usage_records![0]!];
  const links = linking.flatMap(({ uri, subresource_uris: below }) => [uri, ...Object.values(below)]);
  expect(links.length).toBeGreaterThan(15);
  for (const link of [...links, numbers.incoming_phone_numbers![0]!.uri]) {
    // What can only be posted to is there, too.
    const { status } = await stage.ask('GET', link);
    expect([link, status === 405 || status === 200]).toEqual([link, true]);
  }
});

describe('what there is not', () => {
  it.each(UNSUPPORTED.flatMap(({ paths }) => [...paths]))('is answered with 404 in Twilio’s form: %s', async (path) => {
    const { status, text } = await stage.ask('GET', path.replace('{AccountSid}', DEMO_SID));
    expect([status, errorFaultsOf(status, text), (JSON.parse(text) as { code: number }).code]).toEqual([
      404,
      [],
      20404,
    ]);
  });

  it('is listed in the documentation, with what to use in its place', async () => {
    const page = (await stage.ask('GET', '/docs')).text;
    const guide = readFileSync(GUIDE, 'utf8');
    for (const { resource, instead } of UNSUPPORTED) {
      expect(guide).toContain(`| ${resource} | ${instead} |`);
      expect(page).toContain(`<td>${resource}</td>`);
    }
  });
});

it('what was found stands in the documentation', () => {
  const { version } = createRequire(import.meta.url)('twilio/package.json') as { version: string };
  const page = conformancePage(outcomes, version);
  if (isUpdate) writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});
