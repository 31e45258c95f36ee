/**
 * The sink under the log with destinations that are slow, full, closed or stopped: lines may be lost, time may not.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { BatchSink } from '../../src/runtime/logSink.ts';
import { tempDir } from '../support/places.ts';
import { waitFor, within } from '../support/waitFor.ts';

/** A pipe whose two ends this test holds, without either end ever waiting. */
const openPipe = async () => {
  const path = join(tempDir('pipe'), 'pipe');
  await promisify(execFile)('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const into = Buffer.alloc(1 << 20);
  /** Everything that can be read now. */
  const readAll = (): string => {
    let text = '';
    try {
      for (let read = readSync(reader, into); read > 0; read = readSync(reader, into))
        text += into.toString('latin1', 0, read);
    } catch {
      // Empty.
    }
    return text;
  };
  return { reader, writer, readAll };
};

const line = (number: number): string => `${String(number).padStart(99, '0')}\n`;

const start = (destination: number, backlogLengthMax?: number) => {
  const dropped: number[] = [];
  const options = { destination, clock: systemClock, onDropped: (lines: number) => dropped.push(lines) };
  return { sink: new BatchSink(backlogLengthMax ? { ...options, backlogLengthMax } : options), dropped };
};

describe('F72: the destination of the log', () => {
  it('gets every line once and in order, though it is slow', async () => {
    const pipe = await openPipe();
    const { sink, dropped } = start(pipe.writer);
    const count = 10_000;
    for (let number = 0; number < count; number += 1) sink.write(line(number));
    let text = '';
    await waitFor('the last line', () => {
      text += pipe.readAll();
      return text.length === count * 100;
    });
    expect(text).toBe(Array.from({ length: count }, (_, number) => line(number)).join(''));
    expect(dropped).toEqual([]);
  });

  it('that stopped reading costs a bounded backlog; what is lost is counted and told when it reads again', async () => {
    const pipe = await openPipe();
    const { sink, dropped } = start(pipe.writer, 100_000);
    const count = 20_000;
    for (let number = 0; number < count; number += 1) sink.write(line(number));
    await within('the flush', sink.flush());
    let text = '';
    await waitFor('the count of what was lost', () => {
      text += pipe.readAll();
      return dropped.length > 0;
    });
    await waitFor('the rest', () => {
      text += pipe.readAll();
      return text.length / 100 + dropped.reduce((sum, lines) => sum + lines, 0) === count;
    });
    // The batch being written when it stopped, and the backlog.
    expect(text.length).toBeLessThanOrEqual(2 * 100_000 + 10_000);
  });

  it('that is closed loses the lines, and nothing else', async () => {
    const pipe = await openPipe();
    const { sink } = start(pipe.writer);
    closeSync(pipe.reader);
    for (let number = 0; number < 1000; number += 1) sink.write(line(number));
    await within('the flush', sink.flush());
    sink.write(line(0));
    await within('the flush', sink.flush());
  });

  it('gets the last lines of a process that ends at once, though it was busy writing', async () => {
    const code = `
      import { BatchSink } from './src/runtime/logSink.ts';
      import { systemClock } from './src/runtime/clock.ts';
      const sink = new BatchSink({ destination: 1, clock: systemClock, onDropped: () => undefined });
      for (let i = 0; i < 20_000; i += 1) sink.write('x'.repeat(99) + '\\n');
      sink.write('the reason\\n');
      process.exit(1);
    `;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], { stdio: 'pipe' });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    await within('the end of the process', new Promise(resolve => child.once('close', resolve)));
    expect(text.trimEnd().endsWith('the reason')).toBe(true);
  });

  it.each(['1', '2'])('that stopped reading does not keep a process from ending: descriptor %s', async fd => {
    const code = `
      import { BatchSink } from './src/runtime/logSink.ts';
      import { systemClock } from './src/runtime/clock.ts';
      const sink = new BatchSink({ destination: ${fd}, clock: systemClock, onDropped: () => undefined });
      for (let i = 0; i < 30_000; i += 1) sink.write('x'.repeat(99) + '\\n');
      await sink.flush();
      sink.write('last');
      process.exit(7);
    `;
    // Nobody reads these pipes.
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], { stdio: 'pipe' });
    const ended = new Promise(resolve => child.once('exit', resolve));
    try {
      expect(await within('the end of the process', ended)).toBe(7);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
