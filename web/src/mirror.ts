// How far the database behind a session is, in words. Pure.
import { count } from "./format.ts";
import type { MirrorState } from "./messages.ts";

export interface MirrorWords {
  readonly shown: string;
  readonly meaning: string; // a sentence or two that explain it
  readonly change: string; // said aloud when it comes to this; without the count, which goes on changing
}

const NO_LOSS = "Nothing is lost, and nothing here waits for it.";

export function mirrorWords({ state, behind_by }: MirrorState): MirrorWords {
  const events = count(behind_by, "event");
  const are = behind_by === 1 ? "is" : "are";
  if (state === "disconnected") {
    return {
      shown: `database away – ${events} ${behind_by === 1 ? "waits" : "wait"}`,
      meaning: `The SpacetimeDB database cannot be reached: ${events} of this session ${are} written once it is there again. ${NO_LOSS}`,
      change: "The database is away.",
    };
  }
  if (state === "behind") {
    return {
      shown: `mirror ${events} behind`,
      meaning: `The SpacetimeDB database does not keep up: ${events} of this session ${are} not in it yet. ${NO_LOSS}`,
      change: "The mirror is behind.",
    };
  }
  return {
    shown: "mirrored",
    meaning: "What happens in this session is written into the server's SpacetimeDB database as it happens.",
    change: "This session is mirrored.",
  };
}
