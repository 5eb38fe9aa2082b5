import { Module, type DynamicModule } from '@nestjs/common';
import { TaskDesk, TaskReader } from '@perdure/scheduler';
import { TaskSocket } from './task-socket.js';
import { TasksController } from './tasks-controller.js';

export interface SchedulerAdapters {
  readonly desk: () => TaskDesk;
  readonly tasks: () => TaskReader;
}

/** The workers' API over the desk the app chose: requests, and a WebSocket for the same calls. */
@Module({})
export class SchedulerModule {
  static register({ desk, tasks }: SchedulerAdapters): DynamicModule {
    return { module: SchedulerModule, controllers: [TasksController], providers: [{ provide: TaskDesk, useFactory: desk }, { provide: TaskReader, useFactory: tasks }, TaskSocket] };
  }
}
