import { spawnSync } from 'node:child_process';
import { lutimesSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimPort } from './port-claims.js';

const PORT = 20_000;

describe('A claim of a port', () => {
  let folder: string;
  const claim = (): boolean => claimPort(PORT, folder);
  const holder = (): number => Number(readlinkSync(join(folder, String(PORT))));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-claims-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is had once', () => {
    expect(claim()).toBe(true);
    expect(claim()).toBe(false);
    expect(claimPort(PORT + 1, folder)).toBe(true);
  });

  it('of a process that runs stands', () => {
    symlinkSync(String(process.ppid), join(folder, String(PORT)));
    expect(claim()).toBe(false);
    expect(holder()).toBe(process.ppid);
  });

  it('ends with its process', () => {
    symlinkSync(String(spawnSync(process.execPath, ['--version']).pid), join(folder, String(PORT)));
    expect(claim()).toBe(true);
    expect(holder()).toBe(process.pid);
  });

  it('ends after an hour: its process may long be another', () => {
    symlinkSync(String(process.ppid), join(folder, String(PORT)));
    lutimesSync(join(folder, String(PORT)), new Date(0), new Date(0));
    expect(claim()).toBe(true);
  });
});
