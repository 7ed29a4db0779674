import type { SimulatedCarrier } from './simulated-carrier.js';
import { SimulatedHttpCarrier } from './simulated-http-carrier.js';
import { SimulatedSmsc } from './simulated-smsc.js';
import { type CarrierConfig, type ProcessMessage, requestSchema } from './simulator-protocol.js';

/** Entry of the simulator's own process: it does what its parent asks by messages, and ends with its parent. */

const carriers = new Map<string, SimulatedCarrier>();

function say(message: ProcessMessage, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, then);
}

function carrier(name: string): SimulatedCarrier {
  const found = carriers.get(name);
  if (found === undefined) throw new Error(`there is no simulated carrier "${name}"`);
  return found;
}

async function start(dir: string, configs: readonly CarrierConfig[]): Promise<{ ports: Record<string, number> }> {
  const onConflict = (error: Error): void => {
    say({ log: error.message }, () => process.exit(1));
  };
  for (const { type, ...config } of configs) {
    const kind = type === 'http' ? SimulatedHttpCarrier : SimulatedSmsc;
    carriers.set(config.name, await kind.start({ ...config, dir, onConflict }));
  }
  return { ports: Object.fromEntries([...carriers].map(([name, { port }]) => [name, port])) };
}

async function stop(): Promise<void> {
  await Promise.all([...carriers.values()].map((each) => each.stop()));
  carriers.clear();
}

async function run(request: unknown): Promise<void> {
  const { id, operation } = requestSchema.parse(request);
  try {
    switch (operation.kind) {
      case 'start':
        say({ id, result: await start(operation.dir, operation.carriers) });
        break;
      case 'get':
        say({ id, result: carrier(operation.name).snapshot() });
        break;
      case 'put':
        say({ id, result: carrier(operation.name).put(operation.knobs) });
        break;
      case 'submissions':
        say({ id, result: carrier(operation.name).submissions(operation.query) });
        break;
      case 'inbound':
        say({ id, result: await carrier(operation.name).inbound(operation.request) });
        break;
      case 'stop':
        await stop();
        say({ id, result: null }, () => process.exit(0));
    }
  } catch (error) {
    say({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

// Ctrl-C reaches the whole group of a terminal; this process ends when its parent has drained and says so.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => void stop().then(() => process.exit(0)));
// Also when the parent was killed: what is not recorded was not answered, so nothing is lost by going at once.
process.on('disconnect', () => process.exit());
process.on('message', (request) => void run(request));
