import type { Scenario } from '../lib/scenario.js';
import { accept } from './accept.js';
import { endToEnd } from './end-to-end.js';
import { latency } from './latency.js';
import { submit } from './submit.js';

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [accept, submit, endToEnd, latency];

/** Those that where the queues of retries are could matter to; they run in both modes. */
export const WITH_REDIS: readonly string[] = ['accept', 'end-to-end', 'callbacks'];
