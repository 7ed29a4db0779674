import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';
import { AddRoute } from '../application/add-route.js';
import { ListRoutes } from '../application/list-routes.js';
import { RemoveRoute } from '../application/remove-route.js';
import { presentRoute } from './carriers.presenters.js';
import { addRouteBody } from './carriers.schemas.js';
import { idCursor, isId } from './cursor.js';

/** The operator's view of routes. */
@Controller('v1/operator/routes')
@OperatorOnly()
export class RoutesController {
  constructor(
    private readonly addRoute: AddRoute,
    private readonly listRoutes: ListRoutes,
    private readonly removeRoute: RemoveRoute,
  ) {}

  @Post()
  async add(@Body({ schema: addRouteBody }) body: z.infer<typeof addRouteBody>) {
    return presentRoute(await this.addRoute.add(body));
  }

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const routes = await this.listRoutes.list(idCursor(query.cursor), query.limit + 1);
    return nativePage(routes, query.limit, presentRoute, (route) => [route.id]);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string): Promise<void> {
    if (!isId(id)) throw new Failure('not_found', { detail: 'there is no such route' });
    await this.removeRoute.remove(id);
  }
}
