import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FactoryProvider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Settings } from '../settings/settings.js';
import { SETTINGS } from '../tokens.js';
import { PublicUrl } from './public-url.js';

/** The public URL of the application that it is asked in; where that does not listen, it is made from the settings. */
export const publicUrlProvider: FactoryProvider<PublicUrl> = {
  provide: PublicUrl,
  inject: [SETTINGS, HttpAdapterHost],
  useFactory: (settings: Settings, host: HttpAdapterHost) => new PublicUrl(settings, boundAddress(host)),
};

/** Asked of the system when the server begins to listen and not each time: refusals under overload name it too. */
function boundAddress(host: HttpAdapterHost): () => AddressInfo | string | null {
  let address: AddressInfo | string | null = null;
  let isFollowed = false;
  const follow = (server: Server) => {
    const look = () => {
      address = server.address();
    };
    look();
    server.on('listening', look).on('close', look);
    isFollowed = true;
  };
  return () => {
    if (!isFollowed) follow(host.httpAdapter.getHttpServer() as Server);
    return address;
  };
}
