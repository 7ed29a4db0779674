/** The load generator: its own process, plain sockets, and as little work per request as can be. */
import { nowMs } from '../lib/clock.js';
import { Histogram } from '../lib/histogram.js';
import { HttpConnection } from '../lib/http-connection.js';
import type { LoadMethods, LoadPlan, LoadResult } from '../lib/load.js';
import { serve } from '../lib/program.js';
import { Template } from '../lib/template.js';

const TOO_MANY = 429;
const BUSY = 503;
/** A client that was refused waits this long. */
const REFUSED_PAUSE_MS = 25;
const TICK_MS = 1;
const SID_MARK = Buffer.from('"sid":"SM');
const SID_LENGTH = 34;
/** Requests that are still under way this long after the end have no answer. */
const LAST_ANSWERS_MS = 10_000;

class Run {
  private readonly templates: Template[];
  private readonly connections: HttpConnection[];
  private readonly free: HttpConnection[] = [];
  private readonly histogram = new Histogram();
  private readonly statuses: Record<string, number> = {};
  private readonly sids: string[] = [];
  /** Intended times of an open loop that no connection was free for. */
  private readonly late: number[] = [];
  private lateAt = 0;
  private next: number;
  private sent = 0;
  private unanswered = 0;
  private gaveUp = 0;
  private ready = 0;
  private startedMs = 0;
  private endsAtMs = Number.POSITIVE_INFINITY;
  private lastAnswerMs = 0;
  private begun = false;
  private done: (() => void) | null = null;

  constructor(private readonly plan: LoadPlan) {
    this.templates = plan.requests.map((text) => new Template(text));
    this.next = plan.firstNumber ?? 0;
    const handlers = {
      onAnswer: (connection: HttpConnection, status: number, body: Buffer) => this.onAnswer(connection, status, body),
      onBroken: (connection: HttpConnection, wasBusy: boolean) => this.onBroken(connection, wasBusy),
      onReady: (connection: HttpConnection) => this.onReady(connection),
    };
    this.connections = Array.from(
      { length: plan.connections },
      () => new HttpConnection(plan.host, plan.port, handlers),
    );
  }

  async run(): Promise<LoadResult> {
    const finished = new Promise<void>((resolve) => {
      this.done = resolve;
    });
    for (const connection of this.connections) connection.open();
    await finished;
    for (const connection of this.connections) connection.close();
    const cpu = process.cpuUsage(this.cpuAtStart);
    return {
      sent: this.sent,
      statuses: this.statuses,
      unanswered: this.unanswered,
      gaveUp: this.gaveUp,
      latencies: this.histogram.buckets(),
      startedMs: this.startedMs,
      lastAnswerMs: this.lastAnswerMs,
      cpuMicros: cpu.user + cpu.system,
      sids: this.sids,
      nextNumber: this.next,
    };
  }

  private cpuAtStart = process.cpuUsage();

  private onReady(connection: HttpConnection): void {
    if (this.begun) {
      this.goOn(connection);
      return;
    }
    this.ready += 1;
    this.free.push(connection);
    if (this.ready === this.plan.connections) this.begin();
  }

  private begin(): void {
    const { plan } = this;
    this.begun = true;
    this.cpuAtStart = process.cpuUsage();
    this.startedMs = nowMs();
    if (plan.durationMs !== undefined) {
      this.endsAtMs = this.startedMs + plan.durationMs;
      setTimeout(() => this.finishIfDone(), plan.durationMs + 1);
      setTimeout(() => this.giveUpAll(), plan.durationMs + LAST_ANSWERS_MS).unref();
    }
    if (plan.rate !== undefined) this.tick(plan.rate, 0);
    else for (const connection of this.free.splice(0)) this.goOn(connection);
    if (plan.patienceMs !== undefined) this.watchPatience(plan.patienceMs);
  }

  private get mayStart(): boolean {
    return this.sent < (this.plan.count ?? Number.POSITIVE_INFINITY) && nowMs() < this.endsAtMs;
  }

  /** A connection can take the next request: in a closed loop at once, in an open one if somebody waits. */
  private goOn(connection: HttpConnection): void {
    if (this.plan.rate === undefined) {
      if (this.mayStart) this.send(connection, nowMs());
      else this.rest(connection);
      return;
    }
    const { patienceMs = Number.POSITIVE_INFINITY } = this.plan;
    while (this.lateAt < this.late.length) {
      const intendedMs = this.late[this.lateAt++]!;
      if (nowMs() - intendedMs < patienceMs) {
        this.send(connection, intendedMs);
        return;
      }
      this.gaveUp += 1;
    }
    this.late.length = 0;
    this.lateAt = 0;
    this.rest(connection);
  }

  private rest(connection: HttpConnection): void {
    this.free.push(connection);
    this.finishIfDone();
  }

  private send(connection: HttpConnection, intendedMs: number): void {
    const number = this.next++;
    this.sent += 1;
    connection.startedMs = intendedMs;
    connection.sentMs = nowMs();
    connection.send(this.templates[number % this.templates.length]!.fill(number));
  }

  /** Starts what is due by now; `started` is how many requests of the open loop have been. */
  private tick(rate: number, started: number): void {
    const now = nowMs();
    let due = started;
    for (; this.startedMs + (due * 1_000) / rate <= Math.min(now, this.endsAtMs); due++) {
      const intendedMs = this.startedMs + (due * 1_000) / rate;
      const connection = this.free.pop();
      if (connection) this.send(connection, intendedMs);
      else this.late.push(intendedMs);
    }
    if (now < this.endsAtMs) setTimeout(() => this.tick(rate, due), TICK_MS);
    else this.finishIfDone();
  }

  private onAnswer(connection: HttpConnection, status: number, body: Buffer): void {
    const now = nowMs();
    this.lastAnswerMs = now;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    if (status >= 200 && status < 300) {
      this.histogram.record((now - connection.startedMs) * 1_000);
      if (this.plan.collectSids) this.collect(body);
    }
    // In a closed loop whoever was refused waits; in an open one the next request is somebody else's.
    if ((status === BUSY || status === TOO_MANY) && this.plan.rate === undefined) {
      setTimeout(() => this.goOn(connection), REFUSED_PAUSE_MS);
    } else this.goOn(connection);
  }

  private collect(body: Buffer): void {
    const at = body.indexOf(SID_MARK);
    if (at < 0) return;
    const from = at + SID_MARK.length - 2;
    this.sids.push(body.toString('latin1', from, from + SID_LENGTH));
  }

  private onBroken(connection: HttpConnection, wasBusy: boolean): void {
    if (wasBusy) this.unanswered += 1;
    const index = this.free.indexOf(connection);
    if (index >= 0) this.free.splice(index, 1);
    this.finishIfDone();
  }

  /** A client that waited too long cuts its connection, as an HTTP library does at its timeout. */
  private watchPatience(patienceMs: number): void {
    const timer = setInterval(() => {
      const now = nowMs();
      for (const connection of this.connections) {
        if (!connection.isBusy || now - connection.startedMs < patienceMs) continue;
        this.gaveUp += 1;
        connection.abandon();
      }
    }, TICK_MS * 20);
    timer.unref();
  }

  private giveUpAll(): void {
    for (const connection of this.connections) {
      if (!connection.isBusy) continue;
      this.unanswered += 1;
      connection.abandon();
    }
    this.done?.();
  }

  private finishIfDone(): void {
    if (this.begun && !this.mayStart && this.connections.every(({ isBusy }) => !isBusy)) this.done?.();
  }
}

const methods: LoadMethods = { run: (plan) => new Run(plan).run() };
serve(methods);
