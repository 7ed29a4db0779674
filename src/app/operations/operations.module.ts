import { Module } from '@nestjs/common';
import { ConsumersController } from './consumers.controller.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { EventMetrics } from './event-metrics.js';

/** What the operator does across all modules: consumers and their replay, dead letters. */
@Module({ controllers: [ConsumersController, DeadLettersController], providers: [EventMetrics] })
export class OperationsModule {}
