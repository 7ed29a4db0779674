import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/** The description of the API, made from the routes at the first request for it and kept. */
@Injectable()
export class ReferenceDocument {
  private make: (() => OpenAPIObject) | null = null;
  private made: OpenAPIObject | null = null;

  from(make: () => OpenAPIObject): void {
    this.make = make;
  }

  get(): OpenAPIObject {
    if (!this.make) throw new Error('the edge is not attached: Edge.attach must run before the first request');
    this.made ??= this.make();
    return this.made;
  }
}
