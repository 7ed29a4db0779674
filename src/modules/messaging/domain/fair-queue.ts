import { LANE_TURNS, LANES, type Lane } from './lane.js';

interface Tenant {
  readonly lane: Lane;
  readonly accountId: string;
  readonly items: string[];
  head: number;
  /** More of this tenant's messages wait in the database than stand here. */
  behind: boolean;
  /** Something came while `behind`: a page read before it may not hold it. */
  dirty: boolean;
}

/** A tenant's place in a queue. */
export interface Place {
  readonly queue: string;
  readonly lane: Lane;
  readonly accountId: string;
}

const MAX_PER_TENANT = 1000;
/** The memory of a queue, which its tenants share. */
const MAX_HELD = 100_000;
const COMPACT_AT = 256;

/**
 * What waits for one carrier, in memory and bounded: a ring of tenants per lane, one message a turn, lanes by weight.
 * The database holds the truth; a tenant with more than fits is marked `behind` and read again as it is worked off.
 */
export class FairQueue {
  /** The tenants of each lane that have something here, in turn. */
  private readonly rings = new Map<Lane, Set<Tenant>>(LANES.map((lane) => [lane, new Set()]));
  /** Those that have nothing here and more in the database, those that wait longest first. */
  private readonly starved = new Map<Lane, Set<Tenant>>(LANES.map((lane) => [lane, new Set()]));
  private readonly tenants = new Map<string, Tenant>();
  private readonly turns = new Map<Lane, number>();
  private held = 0;

  constructor(readonly name: string) {
    this.refillTurns();
  }

  /** How many messages of one tenant may stand here: the fewer, the more tenants there are. */
  get share(): number {
    return Math.max(1, Math.min(MAX_PER_TENANT, Math.floor(MAX_HELD / Math.max(1, this.tenants.size))));
  }

  /** A message that was just accepted. Left to the database when the tenant has more than fits. */
  push(lane: Lane, accountId: string, id: string): void {
    const tenant = this.tenant(lane, accountId);
    if (tenant.behind || sizeOf(tenant) >= this.share || this.held >= MAX_HELD) {
      tenant.behind = true;
      tenant.dirty = true;
    } else {
      tenant.items.push(id);
      this.held++;
    }
    this.place(tenant);
  }

  /** A message that was picked but could not be handed over: first in its turn again. */
  unshift(lane: Lane, accountId: string, id: string): void {
    const tenant = this.tenant(lane, accountId);
    if (tenant.head > 0) tenant.items[--tenant.head] = id;
    else tenant.items.unshift(id);
    this.held++;
    this.place(tenant);
  }

  /** A tenant that has messages in the database which are not here. */
  markBehind(lane: Lane, accountId: string): void {
    const tenant = this.tenant(lane, accountId);
    tenant.behind = true;
    tenant.dirty = true;
    this.place(tenant);
  }

  /** Tenants that are worked off here and have more in the database; the lanes in turn, so that none waits for another. */
  hungry(limit: number): Place[] {
    const lanes = LANES.map((lane) => this.starved.get(lane)!.values());
    const places: Place[] = [];
    for (let found = true; found && places.length < limit; ) {
      found = false;
      for (const tenants of lanes) {
        const { value: tenant } = tenants.next();
        if (!tenant || places.length >= limit) continue;
        found = true;
        tenant.dirty = false;
        places.push({ queue: this.name, lane: tenant.lane, accountId: tenant.accountId });
      }
    }
    return places;
  }

  /** A page from the database for a hungry tenant; `complete` when it held all that waited when it was read. */
  refill(place: Place, ids: readonly string[], complete: boolean): void {
    const tenant = this.tenant(place.lane, place.accountId);
    tenant.items.push(...ids);
    this.held += ids.length;
    if (complete && !tenant.dirty) tenant.behind = false;
    this.starved.get(tenant.lane)!.delete(tenant);
    this.place(tenant);
  }

  /** The next message: lanes by weight, tenants of a lane in turn. Null when nothing stands here. */
  next(): { lane: Lane; accountId: string; id: string } | null {
    for (let round = 0; round < 2; round++) {
      for (const lane of LANES) {
        const left = this.turns.get(lane)!;
        if (left <= 0) continue;
        const picked = this.nextOf(lane);
        if (!picked) continue;
        this.turns.set(lane, left - 1);
        return picked;
      }
      this.refillTurns();
    }
    return null;
  }

  /** How many messages stand here. */
  get size(): number {
    return this.held;
  }

  private nextOf(lane: Lane): { lane: Lane; accountId: string; id: string } | null {
    const ring = this.rings.get(lane)!;
    const tenant = ring.values().next().value;
    if (!tenant) return null;
    const id = tenant.items[tenant.head++]!;
    this.held--;
    if (tenant.head >= COMPACT_AT) {
      tenant.items.splice(0, tenant.head);
      tenant.head = 0;
    }
    ring.delete(tenant);
    this.place(tenant);
    return { lane, accountId: tenant.accountId, id };
  }

  /** Where a tenant belongs: in the ring with something to hand out, else among the starved, else nowhere. */
  private place(tenant: Tenant): void {
    const [ring, starved] = [this.rings.get(tenant.lane)!, this.starved.get(tenant.lane)!];
    if (sizeOf(tenant) > 0) {
      starved.delete(tenant);
      ring.add(tenant);
    } else if (tenant.behind) {
      starved.add(tenant);
    } else {
      this.tenants.delete(keyOf(tenant.lane, tenant.accountId));
    }
  }

  private tenant(lane: Lane, accountId: string): Tenant {
    const key = keyOf(lane, accountId);
    let tenant = this.tenants.get(key);
    if (!tenant) {
      tenant = { lane, accountId, items: [], head: 0, behind: false, dirty: false };
      this.tenants.set(key, tenant);
    }
    return tenant;
  }

  private refillTurns(): void {
    for (const lane of LANES) this.turns.set(lane, LANE_TURNS[lane]);
  }
}

function sizeOf(tenant: Tenant): number {
  return tenant.items.length - tenant.head;
}

function keyOf(lane: Lane, accountId: string): string {
  return `${lane}/${accountId}`;
}
