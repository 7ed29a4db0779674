import type { Load } from './load.js';
import { messageRequest, type Sender } from './requests.js';

const CREATED = 201;
const CONNECTIONS = 64;

/** The rate of accepts that a closed loop of 64 connections reaches, as the accept scenario measures it. */
export async function findPeak(load: Load, senders: readonly Sender[], durationMs: number) {
  const requests = senders.map((sender) => messageRequest(sender));
  const outcome = await load.run({ connections: CONNECTIONS, durationMs, requests });
  return { rate: outcome.rate(CREATED), outcome };
}
