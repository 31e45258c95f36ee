/**
 * Whether so many entries still fit on this machine, in memory and on the disk: looked at before a journal is filled and
 * while it is, so that a size which does not fit is left out with a reason instead of ending in the kernel's.
 */
import { statfsSync } from 'node:fs';
import { grouped } from './tables.ts';

/** What an entry takes up. */
export type PerEntry = { readonly memoryBytes: number; readonly diskBytes: number };

/** What an allocator loses, larger tables of keys, what grows while a file is written anew, other processes. */
const MARGIN = 1.1;
const MIB = 1024 ** 2;
/** For the system and for what is measured; with less than this left filling ends. */
const LEFT_AT_LEAST = 1024 * MIB;

export type Room = { readonly memory: number; readonly disk: number };

/** Bytes that can be had now, without making the system swap or kill; `dir` is on the disk in question. */
export function roomFor(dir: string): Room {
  const { bavail, bsize } = statfsSync(dir);
  return { memory: process.availableMemory(), disk: bavail * bsize };
}

/** Why so many more entries do not fit; undefined where they do. */
export function lackOf(entries: number, { memoryBytes, diskBytes }: PerEntry, room: Room): string | undefined {
  return (
    lack('memory', entries * memoryBytes * MARGIN + LEFT_AT_LEAST, room.memory) ??
    lack('disk', entries * diskBytes * MARGIN + LEFT_AT_LEAST, room.disk)
  );
}

const lack = (what: string, needed: number, free: number): string | undefined =>
  free < needed ? `${inMib(needed)} of ${what} are needed and ${inMib(free)} are free` : undefined;

const inMib = (bytes: number): string => `${grouped(bytes / MIB)} MiB`;

/** Filling was ended since something else took the room that was there when it began. */
export class RoomGone extends Error {}

/** @throws RoomGone where as good as nothing is left. `written`: entries so far. */
export function keepRoom(written: number, { memory, disk }: Room): void {
  const why = lack('memory', LEFT_AT_LEAST, memory) ?? lack('disk', LEFT_AT_LEAST, disk);
  if (why !== undefined) throw new RoomGone(`ended at ${grouped(written)}: ${why}`);
}
