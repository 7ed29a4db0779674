import { type Answer, basic, call, FORM, readMessage, send } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { insist } from '../support/insist.js';
import { DEMO_NUMBER, DEMO_SID, makeReadyDataDir, type Product, startProduct } from '../support/product.js';
import type { Operation } from './facts.js';

/** What stands in a path before a SID, and the letters that the SID begins with. */
const PREFIXES: Readonly<Record<string, string>> = {
  Accounts: 'AC',
  IncomingPhoneNumbers: 'PN',
  Keys: 'SK',
  Media: 'ME',
  Messages: 'SM',
  PhoneNumbers: 'PN',
  Services: 'MG',
};
/** What an update can end. */
const FOR_GOOD = ['Accounts', 'Messages'];
const NO_MEDIA = `ME${'0'.repeat(32)}`;
const FINAL_MESSAGES = 12;
/** Nobody carries what goes here, so it waits. */
const NOWHERE = '+1777';

/** One product with resources to act on, made as they are needed. */
export class Stage {
  private readonly finals: string[] = [];
  private readonly shared = new Map<string, string>();
  private numbers = 5_550_200;

  private constructor(
    readonly product: Product,
    private readonly removeDir: () => Promise<void>,
  ) {}

  static async start(): Promise<Stage> {
    const dir = await makeReadyDataDir();
    const stage = new Stage(await startProduct({ dataDir: dir.path }), dir.remove);
    await stage.furnish();
    return stage;
  }

  async stop(): Promise<void> {
    await this.product.stop();
    await this.removeDir();
  }

  /** A request with the demo account's credentials; asked again while the product is too busy. */
  ask(method: string, path: string, fields?: readonly [string, string][]): Promise<Answer> {
    return insist(async () => {
      const headers = { authorization: basic(), ...(fields ? { 'content-type': FORM } : {}) };
      const body = fields && { body: new URLSearchParams([...fields]).toString() };
      const answer = await call(this.product.url, path, { method, headers, ...body });
      if (answer.status === 503) throw Object.assign(new Error(answer.text), { status: 503 });
      return answer;
    });
  }

  /**
   * Values for the parameters of a path, in their order. What the operation deletes, or changes for good, is made for it;
   * everything else is shared.
   *
   * @param wanted what state the resource must be in
   */
  async placesOf(operation: Operation, wanted: 'final' | 'waiting' = 'final'): Promise<string[]> {
    const segments = operation.path.replace('.json', '').split('/').filter(Boolean);
    const places: string[] = [];
    for (const [index, segment] of segments.entries()) {
      if (!segment.startsWith('{')) continue;
      const isTarget = index === segments.length - 1;
      const kind = segments[index - 1]!;
      const isOnce = operation.method === 'DELETE' || (operation.method === 'POST' && FOR_GOOD.includes(kind));
      places.push(isTarget && isOnce ? await this.make(kind, wanted, places) : await this.sharedOne(kind, places));
    }
    return places;
  }

  /** A resource that nothing else uses; returns its SID. */
  async make(kind: string, wanted: 'final' | 'waiting' = 'final', above: readonly string[] = []): Promise<string> {
    const prefix = PREFIXES[kind];
    const account = `/2010-04-01/Accounts/${DEMO_SID}`;
    if (prefix === 'ME') return NO_MEDIA;
    if (prefix === 'AC') return this.created('/2010-04-01/Accounts.json', [['FriendlyName', 'Conformance']]);
    if (prefix === 'SK') return this.created(`${account}/Keys.json`, [['FriendlyName', 'Conformance']]);
    if (prefix === 'MG') return this.created('/v1/Services', [['FriendlyName', 'Conformance']]);
    if (prefix === 'SM') return wanted === 'final' ? this.finals.pop()! : (await this.send(`${NOWHERE}5550123`)).sid;
    const number = await this.newNumber();
    if (kind === 'PhoneNumbers')
      await this.created(`/v1/Services/${above[0]}/PhoneNumbers`, [['PhoneNumberSid', number]]);
    return number;
  }

  /** A messaging service that can send. */
  async sender(): Promise<string> {
    const service = await this.sharedOne('Services', []);
    await this.sharedOne('PhoneNumbers', [service]);
    return service;
  }

  private async sharedOne(kind: string, above: readonly string[]): Promise<string> {
    if (kind === 'Accounts') return DEMO_SID;
    const key = `${kind} ${above.join(' ')}`;
    const known = this.shared.get(key) ?? (await this.make(kind, 'final', above));
    this.shared.set(key, known);
    return known;
  }

  private async newNumber(): Promise<string> {
    const body = { phone_number: `+1500${this.numbers++}` };
    return (await this.product.operator<{ sid: string }>('POST', `accounts/${DEMO_SID}/phone-numbers`, body)).sid;
  }

  private async created(path: string, fields: readonly [string, string][]): Promise<string> {
    const answer = await this.ask('POST', path, fields);
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
    return (JSON.parse(answer.text) as { sid: string }).sid;
  }

  private send(to: string): Promise<{ sid: string }> {
    return send(this.product.url, { To: to, From: DEMO_NUMBER, Body: 'conformance' });
  }

  /** Messages that are final, and a carrier that is never there. */
  private async furnish(): Promise<void> {
    await this.product.operator('POST', 'carriers', {
      name: 'nowhere',
      type: 'smpp',
      host: '127.0.0.1',
      port: 1,
      system_id: 'nobody',
      password: 'nothing',
    });
    await this.product.operator('POST', 'routes', { prefix: NOWHERE, carrier: 'nowhere' });
    const sent = await Promise.all(Array.from({ length: FINAL_MESSAGES }, () => this.send('+15555550123')));
    this.finals.push(...sent.map(({ sid }) => sid));
    await eventually(
      async () => {
        const messages = await Promise.all(this.finals.map((sid) => readMessage(this.product.url, sid)));
        return messages.every(({ status }) => status === 'delivered');
      },
      { timeoutMs: 60_000, what: 'the messages to act on are final' },
    );
  }
}
