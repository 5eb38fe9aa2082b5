import { runService, startSliceNode } from '@perdure/mesh';
import { schedulerService } from './scheduler-service.js';

await runService('scheduler', { start: (parts) => startSliceNode(parts, schedulerService(parts)), random: Math.random });
