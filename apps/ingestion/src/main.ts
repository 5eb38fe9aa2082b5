import { runService } from '@perdure/mesh';
import { startIngestion } from './start-ingestion.js';

await runService('ingestion', { start: startIngestion, random: Math.random });
