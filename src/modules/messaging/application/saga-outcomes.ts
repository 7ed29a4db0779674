import { Injectable } from '@nestjs/common';

/** How often each step of the send saga ended how; read by the metrics. */
@Injectable()
export class SagaOutcomes {
  private readonly counts = new Map<string, number>();

  count(step: 'validate' | 'reserve' | 'append' | 'compensate', outcome: string, by = 1): void {
    const key = `${step}/${outcome}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }

  /** The counts since the process started. */
  read(): { step: string; outcome: string; count: number }[] {
    return [...this.counts].map(([key, count]) => {
      const [step, outcome] = key.split('/') as [string, string];
      return { step, outcome, count };
    });
  }
}
