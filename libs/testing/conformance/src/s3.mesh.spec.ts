import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { S3LogArchive, type S3LogArchiveOptions } from '@perdure/archive';
import { startVersitygw, obtain, SilentProgress, versitygwProgram, type ServerProcess } from '@perdure/servers';
import { makeBucket, toS3Options } from './s3-bucket.js';
import { logArchiveSuite } from './log-archive-suite.js';
import { requiredAddress } from './required-address.js';

const server = new URL(requiredAddress('PERDURE_TEST_S3', process.env));
const bucket = `logs-${randomUUID().slice(0, 8)}`;
beforeAll(() => makeBucket(server, bucket));

let prefixes = 0;
const LOG = { slice: 'history/0', identity: 'cluster/topic/id' } as const;

logArchiveSuite('s3', async () => {
  const options = toS3Options(server, { bucket, prefix: `suite/${prefixes++}` });
  const opened: S3LogArchive[] = [];
  const open = async (): Promise<S3LogArchive> => {
    const archive = await S3LogArchive.load(options);
    opened.push(archive);
    return archive;
  };
  return {
    archive: await open(),
    reopen: open,
    close: async () => {
      for (const archive of opened) archive.close();
    },
  };
});

describe('S3LogArchive', () => {
  const using = async (options: S3LogArchiveOptions, use: (archive: S3LogArchive) => Promise<void>): Promise<void> => {
    const archive = await S3LogArchive.load(options);
    try {
      await use(archive);
    } finally {
      archive.close();
    }
  };

  it('lists more than a page', async () => {
    await using(toS3Options(server, { bucket, prefix: '' }), async (archive) => {
      const segments = Array.from({ length: 1_001 }, (_, index) => ({ first: index, last: index }));
      for (let at = 0; at < segments.length; at += 50) await Promise.all(segments.slice(at, at + 50).map((segment) => archive.put(LOG, segment, 'x')));
      expect((await archive.segments(LOG)).toSorted((a, b) => a.first - b.first)).toEqual(segments);
    });
  }, 60_000);

  it('says so when it may not, or there is no such bucket', async () => {
    await using({ ...toS3Options(server, { bucket, prefix: 'a' }), credentials: { accessKeyId: server.username, secretAccessKey: 'not this' } }, async (archive) => {
      await expect(archive.put(LOG, { first: 0, last: 1 }, 'x')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('SignatureDoesNotMatch') });
      await expect(archive.segments(LOG)).rejects.toMatchObject({ code: 'unavailable' });
    });
    await using(toS3Options(server, { bucket: 'there-is-none', prefix: 'a' }), async (archive) => {
      await expect(archive.put(LOG, { first: 0, last: 1 }, 'x')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('NoSuchBucket') });
    });
  });

  describe('when its server', () => {
    let own: ServerProcess;
    beforeAll(async () => {
      own = await startVersitygw({ program: await obtain(versitygwProgram, { progress: new SilentProgress() }) });
      await makeBucket(new URL(own.address), bucket);
    }, 240_000);
    afterAll(() => own?.stop());

    it('is killed: says so in bounded time, and goes on when it is back', async () => {
      await using(toS3Options(new URL(own.address), { bucket, prefix: 'p' }), async (archive) => {
        await archive.put(LOG, { first: 0, last: 1 }, 'kept');
        await own.kill();
        await expect(archive.put(LOG, { first: 2, last: 3 }, 'x')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
        await own.restart();
        expect(await archive.get(LOG, { first: 0, last: 1 })).toBe('kept');
        expect(await archive.put(LOG, { first: 2, last: 3 }, 'x')).toBe(true);
      });
    }, 60_000);

    it('stands still: says so in bounded time', async () => {
      await using(toS3Options(new URL(own.address), { bucket, prefix: 'p' }), async (archive) => {
        await archive.segments(LOG);
        await own.pause();
        const beganMs = performance.now();
        await expect(archive.get(LOG, { first: 0, last: 1 })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
        expect(performance.now() - beganMs).toBeLessThan(30_000);
        own.resume();
        expect(await archive.get(LOG, { first: 0, last: 1 })).toBe('kept');
      });
    }, 60_000);
  });
});
