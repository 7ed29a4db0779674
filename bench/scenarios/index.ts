import type { Scenario } from '../lib/scenario.js';
import { accept } from './accept.js';
import { callbacks } from './callbacks.js';
import { coldStart } from './cold-start.js';
import { endToEnd } from './end-to-end.js';
import { events } from './events.js';
import { fairness } from './fairness.js';
import { footprint } from './footprint.js';
import { growth } from './growth.js';
import { isolation } from './isolation.js';
import { latency } from './latency.js';
import { overload } from './overload.js';
import { statusLag } from './status-lag.js';
import { submit } from './submit.js';

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  accept,
  submit,
  endToEnd,
  events,
  callbacks,
  latency,
  growth,
  statusLag,
  fairness,
  isolation,
  overload,
  footprint,
  coldStart,
];

/** Those that where the queues of retries are could matter to; they run in both modes. */
export const WITH_REDIS: readonly string[] = ['accept', 'end-to-end', 'callbacks'];
