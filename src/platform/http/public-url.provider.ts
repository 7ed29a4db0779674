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
  useFactory: (settings: Settings, host: HttpAdapterHost) =>
    new PublicUrl(settings, (): AddressInfo | string | null => host.httpAdapter.getHttpServer().address()),
};
