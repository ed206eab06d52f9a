// A path into a variable, as a key for what is open and as Python would write it. Pure.
import type { Path, PathElement } from "./messages.ts";

export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

export function extend(path: Path, element: PathElement): Path {
  return [...path, element];
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((element, index) => JSON.stringify(element) === JSON.stringify(path[index]));
}

export function pythonExpression(path: Path): string {
  return path.map((element, index) => pythonStep(element, index === 0)).join("");
}

function pythonStep(element: PathElement, first: boolean): string {
  if (typeof element === "string") return first ? element : `.${element}`;
  if ("attr" in element) return `.${element.attr}`;
  if ("index" in element) return `[${element.index}]`;
  return `[${pythonLiteral(element.key)}]`;
}

function pythonLiteral(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "object" && value && "value" in value) return String(value.value);
  return JSON.stringify(value);
}
