import type { BindPdu, MessagePdu } from '../pdu.js';
import type { Responder } from '../session-options.js';
import { isMessage } from '../session-rules.js';
import { SmppClient, type SmppClientHandlers, type SmppClientOptions, type SmppState } from '../smpp-client.js';
import { ObservedSession } from './session-pair.js';
import { until } from './until.js';
import { TestServer } from './wire.js';

type Answer = (request: MessagePdu, responder: Responder) => void;

/** An SMSC that takes binds with the password "secret" and answers messages as the test says. */
export class TestSmsc {
  readonly sessions: ObservedSession[] = [];
  /** The status that the next binds are answered with, whatever their password. */
  bindStatus = 0;
  answer: Answer = (request, responder) => responder.respond(request, 0, `id-${request.sequenceNumber}`);
  private server: TestServer | null = null;
  private lastPort = 0;

  static async start(): Promise<TestSmsc> {
    const smsc = new TestSmsc();
    await smsc.listen();
    return smsc;
  }

  get port(): number {
    return this.lastPort;
  }

  /** The sessions that are bound now. */
  get bound(): readonly ObservedSession[] {
    return this.sessions.filter(({ session }) => session.bind !== null);
  }

  /** Messages received so far, on all sessions. */
  get submitted(): readonly MessagePdu[] {
    return this.sessions.flatMap(({ requests }) => requests.filter(isMessage));
  }

  async listen(): Promise<void> {
    const onRequest = (request: BindPdu | MessagePdu, responder: Responder): void => {
      if (isMessage(request)) this.answer(request, responder);
      else if (request.password !== 'secret') responder.respond(request, 0x0e);
      else responder.respond(request, this.bindStatus, 'smsc');
    };
    this.server = await TestServer.listen((socket) => {
      this.sessions.push(new ObservedSession(socket, { role: 'smsc', window: 100 }, onRequest));
    }, this.lastPort);
    this.lastPort = this.server.port;
  }

  /** Goes away as a killed process does; listen() brings it back to the same port. */
  async die(): Promise<void> {
    await this.server?.close();
    this.server = null;
  }
}

/** A client with quick timings, and what it was told. */
export class ObservedClient {
  readonly states: SmppState[] = [];
  /** When each of them came. */
  readonly times: number[] = [];
  readonly delivered: MessagePdu[] = [];
  readonly client: SmppClient;

  constructor(port: number, options: Partial<SmppClientOptions> = {}, onDeliver?: SmppClientHandlers['onDeliver']) {
    this.client = new SmppClient(
      {
        host: '127.0.0.1',
        port,
        systemId: 'someone',
        password: 'secret',
        bind: 'transceiver',
        window: 10,
        responseTimeoutMs: 10_000,
        enquireLinkIntervalMs: 60_000,
        bindTimeoutMs: 10_000,
        reconnect: { baseMs: 5, maxMs: 20 },
        random: () => 0.5,
        ...options,
      },
      {
        onDeliver: async (pdu) => {
          this.delivered.push(pdu);
          await onDeliver?.(pdu);
        },
        onState: (state) => {
          this.states.push(state);
          this.times.push(performance.now());
        },
      },
    );
  }

  /** The phases that it went through. */
  get phases(): readonly string[] {
    return this.states.map(({ phase }) => phase);
  }

  async bound(): Promise<this> {
    this.client.start();
    await until('the client was bound', () => this.client.state.phase === 'bound');
    return this;
  }

  async down(reason: string): Promise<void> {
    await until(`the client said "${reason}"`, () => this.client.state.error?.includes(reason) ?? false);
  }
}
