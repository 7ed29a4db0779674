const MAX_ROUTES = 2_000;

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** The routes there are: tells, for a path that no route answered, which methods would have been answered. */
export class RouteTable {
  private readonly paths = new Map<string, KnownPath>();

  /** @param url the router's pattern: `:name` parameters and `*` at the end */
  add(methods: string | readonly string[], url: string): void {
    if (this.paths.size >= MAX_ROUTES) throw new Error(`there are more than ${MAX_ROUTES} routes`);
    const known = this.paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const method of typeof methods === 'string' ? [methods] : methods) known.methods.add(method);
    this.paths.set(url, known);
  }

  /** The methods that a path is known for, sorted; none where it is not known at all. */
  allowedMethods(path: string): string[] {
    const allowed = new Set<string>();
    for (const { pattern, methods } of this.paths.values()) {
      if (pattern.test(path)) for (const method of methods) allowed.add(method);
    }
    return [...allowed].sort();
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split(/(:\w+|\*)/)
    .map((part) =>
      part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    );
  return new RegExp(`^${source.join('')}$`);
}
