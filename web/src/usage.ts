// How much of its limits a session uses: in words, and as a share. Pure.
import { bytes, duration } from "./format.ts";
import type { Limits, Usage } from "./messages.ts";

export interface Meter {
  readonly name: string;
  readonly used: string;
  readonly limit: string | null; // null: as much as there is
  readonly share: number; // of the limit, from 0 to 1
  readonly isNear: boolean;
  readonly note?: string;
}

const NEAR = 0.8;

export function meters({ limits, usage }: { limits: Limits; usage: Usage }): Meter[] {
  const seconds = (value: number) => duration(value * 1000);
  const plain = (value: number) => value.toLocaleString("en");
  const freeIn = usage.cpu_hour_free_in_s;
  const leftOut = usage.variables_left_out;
  return [
    meter("Memory", usage.memory_bytes ?? 0, limits.memory_bytes, bytes),
    meter("Time of this execution", usage.wall_s ?? 0, limits.wall_s,
      (value) => (value ? seconds(value) : "none runs")),
    meter("Processor, latest execution", usage.cpu_s, limits.cpu_s, seconds),
    meter("Processor, this hour", usage.cpu_hour_s, limits.cpu_hour_s, seconds,
      freeIn === null ? "" : `Used up: code runs again in ${seconds(freeIn)}.`),
    meter("Output of the latest execution", usage.output_bytes, limits.output_bytes, bytes),
    meter("Variables", usage.variables + leftOut, limits.variables, plain,
      leftOut ? `${plain(leftOut)} are left out of the list.` : ""),
    meter("Size of the variables’ list", usage.variables_bytes, limits.variables_bytes, bytes),
    meter("Waiting executions", usage.queue, limits.queue, plain),
    meter("People", usage.participants, limits.participants, plain),
  ];
}

/** What a person should know of without asking: the fullest of those that are nearly used up. */
export function nearest(all: readonly Meter[]): Meter | null {
  const near = all.filter((each) => each.isNear);
  return near.reduce<Meter | null>((fullest, each) => (fullest && fullest.share >= each.share ? fullest : each), null);
}

function meter(
  name: string, used: number, limit: number | null, words: (value: number) => string, note = "",
): Meter {
  const share = limit === null ? 0 : limit > 0 ? Math.min(1, used / limit) : Number(used > 0);
  return {
    name, share, used: words(used), limit: limit === null ? null : words(limit),
    isNear: share >= NEAR, ...(note ? { note } : {}),
  };
}
