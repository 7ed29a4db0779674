import { createRequire } from 'node:module';
import pg from 'pg';
import type { ModuleDatabase, Queryable } from '../../src/platform/postgres/database.js';

/** How the driver writes a value; its own types leave this out. */
const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils') as {
  prepareValue(value: unknown): string | null;
};

export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: PlanNode[];
}

/**
 * One connection of a module's data plane on which each statement is prepared once, as the product does it, so that a
 * plan that was made for an empty table is still there when the table has grown.
 */
export class PlanReader implements Queryable {
  private readonly names = new Map<string, string>();
  private nodes: PlanNode[] = [];

  private constructor(private readonly client: pg.PoolClient) {}

  static async of(db: ModuleDatabase): Promise<PlanReader> {
    return new PlanReader(await db.data.connect());
  }

  /** In place of the module's database, for repositories: each statement is explained and run. */
  get database(): never {
    const { query } = this;
    const run = query.bind(this);
    return {
      query: run,
      transaction: (work: (tx: Queryable) => unknown) => work({ query: run } as Queryable),
    } as never;
  }

  /** The nodes of all statements that `act` ran, by what they really read. */
  async read(act: () => Promise<unknown>): Promise<readonly PlanNode[]> {
    this.nodes = [];
    await act();
    return this.nodes;
  }

  async query<R extends pg.QueryResultRow>(
    query: pg.QueryConfig | string,
    own?: unknown[],
  ): Promise<pg.QueryResult<R>> {
    const { text, values = own ?? [] } = typeof query === 'string' ? { text: query, values: own } : query;
    let name = this.names.get(text);
    if (!name) {
      name = `plan_${this.names.size}`;
      this.names.set(text, name);
      await this.client.query(`prepare ${name} as ${text}`);
    }
    const literals = values.map((value) => {
      const prepared = prepareValue(value);
      return prepared === null ? 'null' : pg.escapeLiteral(String(prepared));
    });
    const execute = `execute ${name}${literals.length > 0 ? `(${literals.join(', ')})` : ''}`;
    await this.client.query('begin');
    const { rows } = await this.client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (analyze, format json) ${execute}`,
    );
    await this.client.query('rollback');
    const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
    this.nodes.push(...flatten(rows[0]!['QUERY PLAN'][0]!.Plan));
    return this.client.query<R>(execute);
  }

  release(): void {
    this.client.release(true);
  }
}

/** How many rows a node looked at, over all its loops. */
export function looksOf(node: PlanNode): number {
  return (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
}
