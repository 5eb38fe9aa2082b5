import { EventEmitter } from 'node:events';
import { expect, it } from '@jest/globals';
import { untilTold } from './until-told.js';

it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'])('is over with %s, and hears it once more without harm', async (event) => {
  const self = new EventEmitter();
  const told = untilTold(self);
  self.emit(event);
  await told;
  expect(self.emit(event)).toBe(true);
});
