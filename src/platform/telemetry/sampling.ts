import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  SamplingDecision as Decision,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { SamplingDecision } from '../http/trace-context.js';
import type { Tracing } from '../settings/settings.js';
import type { Allowance } from './allowance.js';

const PARENT_BASED = 'parentbased_';

/**
 * Decides which traces are sampled: with a sampler by the parent, as the caller did where there is one, else by the trace's
 * id, so that every service with the same ratio decides alike. What callers may ask for is bounded: a client that samples
 * all of its requests would otherwise have this process make spans of each.
 *
 * @param callers how many traces of callers are followed
 */
export function samplingOf(
  { sampler, ratio }: Pick<Tracing, 'sampler' | 'ratio'>,
  callers: Allowance,
): SamplingDecision {
  const isParentBased = sampler.startsWith(PARENT_BASED);
  const root = rootSampler(sampler.replace(PARENT_BASED, ''), ratio);
  const isSampled = (traceId: string) =>
    root.shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.SERVER, {}, []).decision === Decision.RECORD_AND_SAMPLED;
  return (traceId, caller) => {
    if (caller === null || !isParentBased) return isSampled(traceId);
    return caller && callers.take();
  };
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_on') return new AlwaysOnSampler();
  return name === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
