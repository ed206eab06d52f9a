// Which variables are shown, and in which order. Pure.
import type { Variable } from "./messages.ts";
import type { Session } from "./session.ts";

export interface Choice {
  filter: string;
  hidden: boolean;
  order: "recent" | "name";
  held: readonly string[] | null; // names in the order that must not move now
}

export function sortVariables(
  { variables, risenAt }: Pick<Session, "variables" | "risenAt">, choice: Choice,
): Variable[] {
  const wanted = choice.filter.toLowerCase();
  const found = [...variables.values()].filter((each) =>
    (choice.hidden || each.hidden !== true) &&
    (each.name.toLowerCase().includes(wanted) || each.type.toLowerCase().includes(wanted)));
  const place = new Map(choice.held?.map((name, index) => [name, index]));
  const byName = (a: Variable, b: Variable) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  const recency = (each: Variable) => choice.order === "recent" ? risenAt.get(each.name)?.seq ?? 0 : 0;
  return found.sort((a, b) => {
    const [here, there] = [place.get(a.name), place.get(b.name)];
    if (here !== undefined && there !== undefined) return here - there;
    // What is there only since then comes last: it moves nothing.
    if (here !== undefined || there !== undefined) return here !== undefined ? -1 : 1;
    return recency(b) - recency(a) || byName(a, b);
  });
}
