import { Module, type DynamicModule } from '@nestjs/common';
import { TaskDesk } from '@perdure/scheduler';
import { TasksController } from './tasks-controller.js';

export interface SchedulerAdapters {
  readonly desk: () => TaskDesk;
}

/** The workers' API over the desk the app chose. */
@Module({})
export class SchedulerModule {
  static register({ desk }: SchedulerAdapters): DynamicModule {
    return { module: SchedulerModule, controllers: [TasksController], providers: [{ provide: TaskDesk, useFactory: desk }] };
  }
}
