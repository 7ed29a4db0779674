import type { CarrierDefinition } from '../../src/modules/carriers/domain/carrier.js';
import type {
  CarrierConnection,
  CarrierReceipt,
  ConnectionHandlers,
  ConnectionState,
  HandOver,
  Outgoing,
} from '../../src/modules/carriers/domain/carrier-connection.js';
import type { Host, Timer, World } from './world.js';

export interface CarrierFaults {
  /** How often a part is refused for good, for now, or for its pace. */
  rejected: number;
  retryable: number;
  throttled: number;
  /** How often a part does not arrive; is taken and not answered. */
  lost: number;
  silent: number;
  receiptLost: number;
  receiptTwice: number;
  /** How often a receipt sets off with the answer, which it may overtake. */
  receiptEarly: number;
}

/** A part that a carrier has, and what it told of it. */
export interface TakenPart {
  readonly carrier: string;
  readonly key: string;
  readonly part: number;
  readonly messageId: string;
  /** What the product has confirmed. */
  readonly confirmed: CarrierReceipt[];
}

export const RESPONSE_TIMEOUT_MS = 10_000;
const RECEIPT_AGAIN_MS = 4_000;
const LONGEST_DELIVERY_MS = 3_000;
const MAX_DELIVERIES = 30;

/** A carrier: its own record of what it took, and its sessions with whoever is bound. */
export class FakeCarrier {
  readonly taken: TakenPart[] = [];
  readonly sessions = new Set<FakeSession>();
  receiptsUnderWay = 0;
  private numbers = 0;

  constructor(
    readonly world: World,
    readonly name: string,
    readonly faults: CarrierFaults,
  ) {}

  /** What it does with a part: takes it, or does not. */
  judge(outgoing: Outgoing, part: number): { answer: HandOver['kind'] | 'none'; messageId: string | null } {
    const { faults, world } = this;
    let draw = world.random.next();
    const falls = (share: number) => {
      draw -= share;
      return draw < 0;
    };
    if (falls(faults.rejected)) return { answer: 'rejected', messageId: null };
    if (falls(faults.retryable)) return { answer: 'retryable', messageId: null };
    if (falls(faults.throttled)) return { answer: 'throttled', messageId: null };
    if (falls(faults.lost)) return { answer: 'none', messageId: null };
    const messageId = this.take(outgoing, part);
    return falls(faults.silent) ? { answer: 'none', messageId: null } : { answer: 'accepted', messageId };
  }

  private take(outgoing: Outgoing, part: number): string {
    const messageId = `${this.name}-${++this.numbers}`;
    const taken = { carrier: this.name, key: outgoing.key, part, messageId, confirmed: [] };
    this.taken.push(taken);
    this.world.isChanged = true;
    this.world.note(`  ${this.name} takes part ${part} to ${outgoing.to} as ${messageId}`);
    const { random } = this.world;
    if (!random.chance(this.faults.receiptLost)) {
      const state = random.chance(0.8) ? ('delivered' as const) : ('undelivered' as const);
      const errorCode = state === 'delivered' ? null : 30003;
      const receipt = { carrier: this.name, messageId, source: outgoing.to, state, errorCode, doneDate: null };
      if (random.chance(0.1)) this.report(taken, { ...receipt, state: 'enroute', errorCode: null });
      this.report(taken, receipt);
    }
    return messageId;
  }

  private report(taken: TakenPart, receipt: CarrierReceipt): void {
    const { random } = this.world;
    this.receiptsUnderWay++;
    const deliver = () => this.deliver(taken, receipt, MAX_DELIVERIES);
    if (random.chance(this.faults.receiptEarly)) deliver();
    else this.world.after(null, random.below(LONGEST_DELIVERY_MS), deliver);
  }

  /** Sends a receipt until it is confirmed. */
  private deliver(taken: TakenPart, receipt: CarrierReceipt, tries: number): void {
    const { world } = this;
    const session = [...this.sessions].find((one) => one.state.phase === 'bound' && one.host.isAlive);
    const again = world.after(null, RECEIPT_AGAIN_MS, () => {
      if (tries > 0) this.deliver(taken, receipt, tries - 1);
      else this.receiptsUnderWay--;
    });
    if (!session) return;
    const arrive = () => {
      const confirm = () => {
        world.cancel(again);
        taken.confirmed.push(receipt);
        if (world.random.chance(this.faults.receiptTwice)) this.deliver(taken, receipt, 0);
        else this.receiptsUnderWay--;
      };
      if (session.state.phase === 'bound') session.handlers.onReceipt(receipt).then(confirm, () => undefined);
    };
    world.later(session.host, `receipt of ${receipt.messageId}: ${receipt.state}`, arrive);
  }
}

interface UnderWay {
  readonly outgoing: Outgoing;
  readonly end: (outcome: HandOver) => void;
  late: Timer | null;
}

/** A session of one process with a carrier. */
export class FakeSession implements CarrierConnection {
  state: ConnectionState = { phase: 'connecting', error: null };
  private readonly underWay = new Set<UnderWay>();
  private isStopping = false;
  private idle: (() => void) | null = null;

  constructor(
    private readonly carrier: FakeCarrier,
    readonly host: Host,
    private readonly definition: CarrierDefinition,
    readonly handlers: ConnectionHandlers,
  ) {
    host.onGone.push(() => carrier.sessions.delete(this));
  }

  get credit(): number {
    let parts = 0;
    for (const { outgoing } of this.underWay) parts += outgoing.parts.length;
    return Math.max(0, this.definition.windowSize - parts);
  }

  start(): void {
    this.carrier.sessions.add(this);
    this.carrier.world.later(this.host, `bound to ${this.carrier.name}`, () => this.bound());
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.underWay.size > 0) {
      const timer = this.carrier.world.after(this.host, RESPONSE_TIMEOUT_MS, () => this.breakOff());
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
      this.carrier.world.cancel(timer);
    }
    this.state = { phase: 'down', error: null };
    this.carrier.sessions.delete(this);
  }

  handOver(outgoing: Outgoing): Promise<HandOver> {
    if (this.state.phase !== 'bound' || this.isStopping) return Promise.resolve({ kind: 'unsent' });
    const { world } = this.carrier;
    return new Promise((resolve) => {
      const one: UnderWay = { outgoing, end: resolve, late: null };
      this.underWay.add(one);
      const onLate = () => this.end(one, { kind: 'unknown', reason: 'timeout' });
      one.late = world.after(this.host, RESPONSE_TIMEOUT_MS, onLate);
      world.later(null, `${this.host.name}'s submit to ${this.carrier.name}`, () => this.arrive(one));
    });
  }

  /** The connection breaks: nobody hears what was under way any more. */
  breakOff(): void {
    for (const one of [...this.underWay]) this.end(one, { kind: 'unknown', reason: 'disconnected' });
    if (this.isStopping || this.state.phase === 'down') return;
    this.state = { phase: 'down', error: 'reset' };
    this.handlers.onState();
    this.carrier.world.after(this.host, 500, () => this.bound());
  }

  private bound(): void {
    if (this.isStopping) return;
    this.state = { phase: 'bound', error: null };
    this.handlers.onState();
  }

  private arrive(one: UnderWay): void {
    const { outgoing } = one;
    let answer: HandOver['kind'] | 'none' = 'accepted';
    const ids = [...outgoing.messageIds];
    for (let index = 0; index < ids.length && answer === 'accepted'; index++) {
      if (ids[index] !== null) continue;
      const judged = this.carrier.judge(outgoing, index + 1);
      answer = judged.answer;
      ids[index] = judged.messageId;
    }
    const heard = () => {
      if (!this.underWay.has(one)) return;
      outgoing.messageIds = ids;
      if (answer === 'rejected') this.end(one, { kind: 'rejected', errorCode: 30005 });
      else this.end(one, { kind: answer as 'accepted' | 'throttled' | 'retryable' });
    };
    if (answer === 'none') {
      // The answers to the other parts are heard.
      this.carrier.world.later(this.host, `${this.carrier.name} is silent`, () => {
        if (this.underWay.has(one)) outgoing.messageIds = ids;
      });
    } else this.carrier.world.later(this.host, `${this.carrier.name} answers: ${answer}`, heard);
  }

  private end(one: UnderWay, outcome: HandOver): void {
    if (!this.underWay.delete(one)) return;
    this.carrier.world.cancel(one.late);
    one.end(outcome);
    if (this.underWay.size === 0) this.idle?.();
  }
}
