import { type DynamicModule, Global, Module } from '@nestjs/common';

@Global()
@Module({})
class RemoteModule {}

/** Stands where a module stood that runs elsewhere: gives its contract to all others. */
export function remoteModule(contract: abstract new () => object, client: object): DynamicModule {
  return { module: RemoteModule, providers: [{ provide: contract, useValue: client }], exports: [contract] };
}
