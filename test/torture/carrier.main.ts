import { SimulatedSmsc } from '../../src/modules/carriers/infrastructure/simulator/simulated-smsc.js';

/**
 * A carrier in a process of its own: `carrier.main.ts <name> <directory of its record> <port> <password>`. It says
 * which port it took, turns the knobs that it is sent, and ends with its parent. What it took is in its record before it
 * answers, so that it may be killed at any moment.
 */
const [name = '', dir = '', port = '0', password = ''] = process.argv.slice(2);
const smsc = await SimulatedSmsc.start({ name, dir, port: Number(port), password });
process.on('message', (knobs) => smsc.put(knobs));
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => undefined);
process.send?.({ port: smsc.port });
