import { errorFaultsOf, faultsOf } from './answers.js';
import { answerOf, isList, nameOf, type Operation, optionsOf, type Parameter, rowsName } from './facts.js';
import { type Sample, samplesOf, wrongOf } from './samples.js';
import { misread, type Sdk, sdkName } from './sdk.js';
import type { Stage } from './stage.js';

/** What became of a parameter. */
export interface ParameterOutcome {
  readonly name: string;
  /** `shown`: its value stands in the answer; `taken`: the answer says nothing of it; a number: the code that refused it. */
  readonly outcome: 'shown' | 'taken' | 'ignored' | number;
}

/** What was found of an operation. `faults` are what must not be. */
export interface OperationOutcome {
  readonly parameters: readonly ParameterOutcome[];
  /** The code that refuses the operation as a whole; null where it is answered as described. */
  readonly refused: number | null;
  /** Valid requests, each made raw and through the package, and wrong ones. */
  readonly requests: number;
  /** Parameters for which there was no value to try. */
  readonly untried: readonly string[];
  readonly faults: readonly string[];
}

type Fields = readonly [Parameter, Sample][];
type Body = Record<string, unknown>;

/** What a request needs besides what it must have by the description. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'POST /2010-04-01/Accounts/{AccountSid}/Messages.json': { From: '+15005550006', Body: 'conformance' },
};
/** What a parameter goes together with. */
const WITH: Readonly<Record<string, readonly string[]>> = {
  ScheduleType: ['MessagingServiceSid', 'SendAt'],
  SendAt: ['MessagingServiceSid', 'ScheduleType'],
};
/** Parameters whose value is a resource of its own for every request. */
const MADE: Readonly<Record<string, (stage: Stage) => Promise<string>>> = {
  PhoneNumberSid: (stage) => stage.make('IncomingPhoneNumbers'),
  MessagingServiceSid: (stage) => stage.sender(),
};
/** Texts of a message that are more than a text: an update can only empty it. */
const EMPTIED = 'POST /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json';

/** Checks one operation with every parameter, each valid and each wrong, raw and through the official package. */
export class Check {
  private readonly faults: string[] = [];
  private readonly untried: string[] = [];
  private requests = 0;

  constructor(
    private readonly stage: Stage,
    private readonly sdk: Sdk,
    private readonly operation: Operation,
    /** Parameters that are known to be ignored, whatever their value. */
    private readonly ignored: readonly string[],
  ) {}

  async run(): Promise<OperationOutcome> {
    const outcome = await this.ask('nothing more', () => this.fields([]), null);
    const refused = typeof outcome === 'number' ? outcome : null;
    const parameters: ParameterOutcome[] = [];
    for (const parameter of refused === null ? optionsOf(this.operation) : []) {
      const outcome = await this.tryParameter(parameter);
      if (outcome === null) this.untried.push(parameter.name);
      else parameters.push({ name: parameter.name, outcome });
    }
    if (isList(this.operation)) await this.pages();
    const { requests, untried, faults } = this;
    return { parameters, refused, requests, untried, faults };
  }

  /** Null where there is no value to try. */
  private async tryParameter(parameter: Parameter): Promise<ParameterOutcome['outcome'] | null> {
    const outcomes: ParameterOutcome['outcome'][] = [];
    for (const sample of await this.samples(parameter)) {
      const what = `${parameter.name}=${sample.text}`;
      // Where one must be made for each request, it is one of those that every request has.
      const asked: Fields = MADE[parameter.name] ? [] : [[parameter, sample]];
      outcomes.push(
        await this.ask(what, () => this.fields(asked, parameter), MADE[parameter.name] ? null : [parameter, sample]),
      );
    }
    const worst = outcomes.find((outcome) => typeof outcome === 'number') ?? outcomes.find((one) => one === 'ignored');
    if (!this.ignored.includes(parameter.name)) await this.tryWrong(parameter);
    return worst ?? outcomes[0] ?? null;
  }

  /** A value that cannot be right is refused in Twilio's form, and changes nothing that a later check would miss. */
  private async tryWrong(parameter: Parameter): Promise<void> {
    for (const text of wrongOf(parameter)) {
      const fields = await this.fields([[parameter, { text, value: text }]]);
      const { status, text: answer } = await this.raw(await this.stage.placesOf(this.operation), fields);
      const what = `${parameter.name}=${text}`;
      this.fault(what, status < 400 ? ['was taken, though it cannot be right'] : errorFaultsOf(status, answer));
    }
  }

  /** One request, raw and through the package: valid both times, and the same. */
  private async ask(what: string, build: () => Promise<Fields>, asked: [Parameter, Sample] | null) {
    const wanted = asked?.[1].text === 'canceled' ? 'waiting' : 'final';
    const { status, text } = await this.raw(await this.stage.placesOf(this.operation, wanted), await build());
    const parameters = Object.fromEntries((await build()).map(([{ name }, { value }]) => [sdkName(name), value]));
    this.requests += 1;
    const made = await this.sdk.run(this.operation, await this.stage.placesOf(this.operation, wanted), parameters);
    if (status >= 400) {
      this.fault(what, errorFaultsOf(status, text));
      const { code } = JSON.parse(text) as { code: number };
      if (made.ok || made.status !== status || made.code !== code) this.fault(what, ['the package met another answer']);
      return code;
    }
    this.fault(what, faultsOf(this.operation, status, text));
    if (!made.ok) {
      this.fault(what, [`the package was refused with ${made.code}`]);
      return made.code;
    }
    if (text === '') return 'taken';
    const body = JSON.parse(text) as Body;
    this.fault(what, this.misreadBy(made.made, body));
    return asked ? this.echo(body, ...asked) : 'taken';
  }

  private misreadBy(made: unknown, body: Body): string[] {
    if (!isList(this.operation)) return misread(made, body);
    const rows = body[rowsName(this.operation)] as Body[];
    const instances = (made as { instances: unknown[] }).instances;
    if (rows.length > 0 && instances.length === 0) return ['the package saw no rows'];
    return instances.flatMap((instance, index) => (rows[index] ? misread(instance, rows[index]) : []));
  }

  private echo(body: Body, parameter: Parameter, sample: Sample): ParameterOutcome['outcome'] {
    const meta = (body.meta ?? body) as Body;
    const property = parameter.name.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase();
    const rows = isList(this.operation) ? (body[rowsName(this.operation)] as Body[]) : [body];
    if (property === 'page' || property === 'page_size') return meta[property] === sample.value ? 'shown' : 'ignored';
    if (parameter.name === 'StartDate') return all(rows, (row) => String(row.start_date) >= String(sample.text));
    if (parameter.name === 'EndDate') return all(rows, (row) => String(row.end_date) <= String(sample.text));
    if (/^Date\w+[<>]?$/.test(parameter.name)) return all(rows, (row) => isWithin(row, parameter.name, sample));
    const properties = answerOf(this.operation)?.properties ?? {};
    const row = isList(this.operation) ? properties[rowsName(this.operation)]?.items?.properties : properties;
    if (!row || !(property in row)) return 'taken';
    return all(rows, (each) => String(each[property]) === sample.text);
  }

  /** A list in pages of one, followed by its links and by the package, is the list. */
  private async pages(): Promise<void> {
    const places = await this.stage.placesOf(this.operation);
    // A message changes between two pages, and what is as of now differs by its time.
    const sidsOf = (body: Body) =>
      (body[rowsName(this.operation)] as Body[]).map(({ as_of: _, ...row }) => String(row.sid ?? JSON.stringify(row)));
    const whole = JSON.parse((await this.stage.ask('GET', `${this.path(places)}?PageSize=4`)).text) as Body;
    const seen: string[] = [];
    let next: string | null = `${this.path(places)}?PageSize=1`;
    while (next !== null && seen.length < sidsOf(whole).length) {
      const answer = await this.stage.ask('GET', next);
      this.fault(`the page ${next}`, faultsOf(this.operation, answer.status, answer.text));
      const body = JSON.parse(answer.text) as Body & { meta?: Body };
      seen.push(...sidsOf(body));
      const link = (body.next_page_uri ?? body.meta?.next_page_url ?? null) as string | null;
      next = link && new URL(link, this.stage.product.url).href.slice(this.stage.product.url.length);
    }
    if (seen.join() !== sidsOf(whole).join()) this.fault('pages of one', ['are not the list']);
  }

  private raw(places: readonly string[], fields: Fields) {
    this.requests += 1;
    const pairs = fields.flatMap(([{ name }, { text }]) =>
      [text].flat().map((value) => [name, value] as [string, string]),
    );
    if (this.operation.method === 'POST') return this.stage.ask('POST', this.path(places), pairs);
    const query = pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : '';
    return this.stage.ask(this.operation.method, this.path(places) + query);
  }

  private path(places: readonly string[]): string {
    let place = 0;
    return this.operation.path.replace(/\{\w+\}/g, () => places[place++]!);
  }

  /** What every request must have, and what is asked for, with what that goes together with. */
  private async fields(asked: Fields, also?: Parameter): Promise<Fields> {
    const name = nameOf(this.operation);
    const given = new Set(asked.map(([parameter]) => parameter.name));
    const together = [...asked.map(([parameter]) => parameter), ...(also ? [also] : [])].flatMap((parameter) => [
      parameter.name,
      ...(WITH[parameter.name] ?? []),
    ]);
    const fields: [Parameter, Sample][] = [...asked];
    for (const parameter of optionsOf(this.operation)) {
      const needed = NEEDED[name]?.[parameter.name];
      const isWanted = parameter.required || needed !== undefined || together.includes(parameter.name);
      if (!isWanted || given.has(parameter.name)) continue;
      // A service chooses one of its own.
      if (parameter.name === 'From' && together.includes('MessagingServiceSid')) continue;
      const sample = needed === undefined ? (await this.samples(parameter))[0]! : { text: needed, value: needed };
      fields.push([parameter, sample]);
    }
    return fields;
  }

  private async samples(parameter: Parameter): Promise<Sample[]> {
    if (nameOf(this.operation) === EMPTIED && parameter.name === 'Body') return [{ text: '', value: '' }];
    if (parameter.name === 'PageToken') return this.pageTokens();
    const make = MADE[parameter.name];
    if (!make) return samplesOf(parameter, Date.now());
    const sid = await make(this.stage);
    return [{ text: sid, value: sid }];
  }

  /** Tokens come from the list itself; none where it has one page. */
  private async pageTokens(): Promise<Sample[]> {
    const places = await this.stage.placesOf(this.operation);
    const { text } = await this.stage.ask('GET', `${this.path(places)}?PageSize=1`);
    const body = JSON.parse(text) as Body & { meta?: Body };
    const next = (body.next_page_uri ?? body.meta?.next_page_url) as string | null;
    const token = next && new URL(next, this.stage.product.url).searchParams.get('PageToken');
    return token ? [{ text: token, value: token }] : [];
  }

  private fault(what: string, found: readonly string[]): void {
    this.faults.push(...found.map((each) => `${nameOf(this.operation)} with ${what}: ${each}`));
  }
}

/** `DateSent` is a day; `DateSent>` and `DateSent<` bound an instant. */
function isWithin(row: Body, name: string, sample: Sample): boolean {
  const property = name
    .replace(/[<>]$/, '')
    .replace(/(?<=[a-z])[A-Z]/g, '_$&')
    .toLowerCase();
  const [at, bound] = [Date.parse(String(row[property])), (sample.value as Date).getTime()];
  if (name.endsWith('<')) return at <= bound;
  return name.endsWith('>') ? at >= bound : isoDay(at) === isoDay(bound);
}

const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function all(rows: readonly Body[], holds: (row: Body) => boolean): 'shown' | 'taken' | 'ignored' {
  if (rows.length === 0) return 'taken';
  return rows.every(holds) ? 'shown' : 'ignored';
}
