export interface Route {
  /** `+` and digits, or empty for every destination. */
  readonly prefix: string;
  readonly carrier: string;
  /** Lower goes first. */
  readonly priority: number;
  /** Share among the routes of the same prefix and priority. */
  readonly weight: number;
}

/** A route as it is kept. */
export interface StoredRoute extends Route {
  readonly id: string;
  readonly createdAt: Date;
}

const LONGEST_PREFIX = 16;

/** The routes, by longest prefix, then priority, then weight. */
export class RouteTable {
  private readonly byPrefix = new Map<string, Route[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const list = this.byPrefix.get(route.prefix);
      if (list) list.push(route);
      else this.byPrefix.set(route.prefix, [route]);
    }
    for (const list of this.byPrefix.values()) list.sort((a, b) => a.priority - b.priority);
  }

  /**
   * The carriers for a destination, best first. Among equals the draw decides who goes first, by weight.
   *
   * @param draw from 0 to below 1, the same for the same message
   */
  carriers(to: string, draw: number): string[] {
    for (let length = Math.min(to.length, LONGEST_PREFIX); length >= 0; length--) {
      const routes = this.byPrefix.get(to.slice(0, length));
      if (routes) return order(routes, draw);
    }
    return [];
  }

  /** The carriers that may take over from one, for some destination; null for a carrier without a route. */
  standIns(carrier: string): Set<string> | null {
    const names = new Set<string>();
    for (const routes of this.byPrefix.values()) {
      if (routes.some((route) => route.carrier === carrier)) for (const route of routes) names.add(route.carrier);
    }
    return names.delete(carrier) ? names : null;
  }
}

function order(routes: readonly Route[], draw: number): string[] {
  if (routes.length === 1) return [routes[0]!.carrier];
  const names: string[] = [];
  for (let start = 0; start < routes.length; ) {
    let end = start + 1;
    while (end < routes.length && routes[end]!.priority === routes[start]!.priority) end++;
    const equals = routes.slice(start, end);
    const first = pick(equals, draw);
    names.push(first.carrier, ...equals.filter((route) => route !== first).map((route) => route.carrier));
    start = end;
  }
  return names;
}

function pick(routes: readonly Route[], draw: number): Route {
  const total = routes.reduce((sum, route) => sum + route.weight, 0);
  let left = draw * total;
  for (const route of routes) {
    left -= route.weight;
    if (left < 0) return route;
  }
  return routes[routes.length - 1]!;
}
