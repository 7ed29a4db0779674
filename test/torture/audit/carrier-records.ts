import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** How often each part of a message was given, over all carriers, and the text of each. */
export interface Given {
  readonly times: Map<number, number>;
  readonly texts: Map<number, string>;
  readonly carriers: Set<string>;
  parts: number;
}

interface Line {
  readonly destination: string;
  readonly text: string;
  readonly part: number | null;
  readonly parts: number | null;
}

/** What the carriers wrote down, by destination. A line that a kill cut off was never answered for. */
export async function readCarriers(records: readonly { name: string; record: string }[]): Promise<Map<string, Given>> {
  const byDestination = new Map<string, Given>();
  for (const { name, record } of records) {
    for await (const text of createInterface({
      input: createReadStream(record),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      if (text.startsWith('{"sequence":') && text.endsWith('}')) note(byDestination, name, JSON.parse(text) as Line);
    }
  }
  return byDestination;
}

function note(byDestination: Map<string, Given>, carrier: string, line: Line): void {
  const given = byDestination.get(line.destination) ?? {
    times: new Map(),
    texts: new Map(),
    carriers: new Set(),
    parts: line.parts ?? 1,
  };
  const part = line.part ?? 1;
  given.times.set(part, (given.times.get(part) ?? 0) + 1);
  given.texts.set(part, line.text);
  given.carriers.add(carrier);
  byDestination.set(line.destination, given);
}
