import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/**
 * The description of the API, made from the routes at the first request for it and kept. What makes it is loaded then
 * too: it is as much code as a fifth of all the rest, and most processes are never asked.
 */
@Injectable()
export class ReferenceDocument {
  private make: (() => Promise<OpenAPIObject>) | null = null;
  private made: Promise<OpenAPIObject> | null = null;

  from(make: () => Promise<OpenAPIObject>): void {
    this.make = make;
  }

  get(): Promise<OpenAPIObject> {
    if (!this.make) throw new Error('the edge is not attached: Edge.attach must run before the first request');
    if (!this.made) {
      const made = this.make();
      this.made = made;
      // What failed once, for want of open files or memory, may do the next time.
      made.catch(() => {
        this.made = null;
      });
    }
    return this.made;
  }
}
