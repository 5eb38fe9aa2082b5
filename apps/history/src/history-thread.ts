import { runService, startSliceNode } from '@perdure/mesh';
import { historyService } from './history-service.js';

await runService('history', { start: async (parts) => startSliceNode(parts, await historyService(parts)), random: Math.random });
