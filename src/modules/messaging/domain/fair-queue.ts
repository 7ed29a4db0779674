import { LANE_TURNS, LANES, type Lane } from './lane.js';

interface Tenant {
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

const MAX_WAITING_PER_TENANT = 1000;
const COMPACT_AT = 256;

/**
 * What waits for one carrier, in memory and bounded: a ring of tenants per lane, one message a turn, lanes by weight.
 * The database holds the truth; a tenant with more than fits is marked `behind` and read again as it is worked off.
 */
export class FairQueue {
  private readonly rings = new Map<Lane, Tenant[]>(LANES.map((lane) => [lane, []]));
  private readonly tenants = new Map<string, Tenant>();
  private readonly turns = new Map<Lane, number>();

  constructor(readonly name: string) {
    this.refillTurns();
  }

  /** A message that was just accepted. Left to the database when the tenant has more than fits. */
  push(lane: Lane, accountId: string, id: string): void {
    const tenant = this.tenant(lane, accountId);
    if (tenant.behind || tenant.items.length - tenant.head >= MAX_WAITING_PER_TENANT) {
      tenant.behind = true;
      tenant.dirty = true;
      return;
    }
    tenant.items.push(id);
  }

  /** A message that was picked but could not be handed over: first in its turn again. */
  unshift(lane: Lane, accountId: string, id: string): void {
    const tenant = this.tenant(lane, accountId);
    if (tenant.head > 0) tenant.items[--tenant.head] = id;
    else tenant.items.unshift(id);
  }

  /** A tenant that has messages in the database which are not here. */
  markBehind(lane: Lane, accountId: string): void {
    const tenant = this.tenant(lane, accountId);
    tenant.behind = true;
    tenant.dirty = true;
  }

  /** Tenants that are nearly worked off here and have more in the database. */
  hungry(limit: number): Place[] {
    const places: Place[] = [];
    for (const [lane, ring] of this.rings) {
      for (const tenant of ring) {
        if (places.length >= limit) return places;
        if (tenant.behind && tenant.items.length - tenant.head === 0) {
          tenant.dirty = false;
          places.push({ queue: this.name, lane, accountId: tenant.accountId });
        }
      }
    }
    return places;
  }

  /** A page from the database for a hungry tenant; `complete` when it held all that waited when it was read. */
  refill(place: Place, ids: readonly string[], complete: boolean): void {
    const tenant = this.tenant(place.lane, place.accountId);
    tenant.items.push(...ids);
    if (complete && !tenant.dirty) tenant.behind = false;
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
    let size = 0;
    for (const tenant of this.tenants.values()) size += tenant.items.length - tenant.head;
    return size;
  }

  private nextOf(lane: Lane): { lane: Lane; accountId: string; id: string } | null {
    const ring = this.rings.get(lane)!;
    for (let looked = ring.length; looked > 0; looked--) {
      const tenant = ring.shift()!;
      if (tenant.head >= tenant.items.length) {
        if (tenant.behind) ring.push(tenant);
        else this.tenants.delete(`${lane}/${tenant.accountId}`);
        continue;
      }
      const id = tenant.items[tenant.head++]!;
      if (tenant.head >= COMPACT_AT) {
        tenant.items.splice(0, tenant.head);
        tenant.head = 0;
      }
      ring.push(tenant);
      return { lane, accountId: tenant.accountId, id };
    }
    return null;
  }

  private tenant(lane: Lane, accountId: string): Tenant {
    const key = `${lane}/${accountId}`;
    let tenant = this.tenants.get(key);
    if (!tenant) {
      tenant = { accountId, items: [], head: 0, behind: false, dirty: false };
      this.tenants.set(key, tenant);
      this.rings.get(lane)!.push(tenant);
    }
    return tenant;
  }

  private refillTurns(): void {
    for (const lane of LANES) this.turns.set(lane, LANE_TURNS[lane]);
  }
}
