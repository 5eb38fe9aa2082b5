import { describe, expect, it } from '@jest/globals';
import { parseArchivePlace } from './archive-place.js';

describe('parseArchivePlace', () => {
  it('takes folders and buckets', () => {
    expect(parseArchivePlace('file:///var/lib/perdure/logs%20a')).toEqual({ kind: 'folder', path: '/var/lib/perdure/logs a' });
    expect(parseArchivePlace('s3://logs')).toEqual({ kind: 's3', bucket: 'logs', prefix: '' });
    expect(parseArchivePlace('s3://my.logs/a/b/')).toEqual({ kind: 's3', bucket: 'my.logs', prefix: 'a/b' });
  });

  it('takes nothing else', () => {
    for (const text of ['', 'logs', '/var/logs', 'file://host/logs', 's3://', 's3:///x', 's3://key:secret@logs', 'https://logs/x', 's3://logs?x=1']) expect([text, parseArchivePlace(text)]).toEqual([text, undefined]);
  });
});
