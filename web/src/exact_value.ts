// An exact value of the wire, as Python would write it and as a number. Pure.

interface Tagged {
  $type: string;
  value: unknown;
}

export function pythonText(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return pythonString(value);
  if (Array.isArray(value)) return `[${value.map(pythonText).join(", ")}]`;
  if (isTagged(value)) return taggedText(value);
  if (typeof value === "object") return `{${pairs(value).map(([key, item]) => `${pythonText(key)}: ${pythonText(item)}`).join(", ")}}`;
  return String(value);
}

/** What there is to compare: a text's lines, a container's elements, each as Python would write it. */
export function parts(value: unknown): string[] {
  if (typeof value === "string") return value.split("\n");
  const elements = Array.isArray(value) ? value
    : isTagged(value) && value.$type !== "dict" && Array.isArray(value.value) ? value.value : null;
  if (elements) return elements.map(pythonText);
  if (typeof value !== "object" || value === null || isTagged(value) && value.$type !== "dict") return [pythonText(value)];
  return pairs(value).map(([key, item]) => `${pythonText(key)}: ${pythonText(item)}`);
}

/** NaN and infinities too; null: it is no number, or one that only Python can hold. */
export function numberOf(value: unknown, type: string | null, preview: string | null): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (isTagged(value) && typeof value.value === "string") {
    if (value.$type === "int") return integerOf(value.value);
    if (value.$type === "float") return floatOf(value.value);
  }
  return value === null && type !== null && preview !== null && FOREIGN.test(type) ? floatIn(preview) : null;
}

// Numbers of libraries, of which the wire has the preview only.
const FOREIGN = /^(float|int|uint)(8|16|32|64|128)$|^Decimal$/;
const FLOAT_IN = /^(?:[\w.]+\(['"]?)?(-?(?:\d[\d_]*\.?\d*(?:e[+-]?\d+)?|nan|inf(?:inity)?))['"]?\)?$/i;

function floatIn(preview: string): number | null {
  const text = FLOAT_IN.exec(preview)?.[1]?.toLowerCase();
  return text === undefined ? null : floatOf(text.replace("infinity", "inf"));
}

function floatOf(text: string): number {
  if (text === "inf") return Number.POSITIVE_INFINITY;
  return text === "-inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

/** Beyond the range of a float it could only be drawn as infinite, which it is not. */
function integerOf(text: string): number | null {
  const number = Number(integerFrom(text));
  return Number.isFinite(number) ? number : null;
}

/** BigInt knows no sign before 0x. */
export function integerFrom(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}

function isTagged(value: unknown): value is Tagged {
  return typeof value === "object" && value !== null && typeof (value as Tagged).$type === "string";
}

function pairs(value: object): [unknown, unknown][] {
  if (!isTagged(value)) return Object.entries(value);
  return Array.isArray(value.value) ? value.value as [unknown, unknown][] : [];
}

function taggedText({ $type, value }: Tagged): string {
  const items = Array.isArray(value) ? value : [];
  const inside = items.map(pythonText).join(", ");
  switch ($type) {
    case "tuple": return items.length === 1 ? `(${inside},)` : `(${inside})`;
    case "set": return items.length ? `{${inside}}` : "set()";
    case "frozenset": return `frozenset({${inside}})`;
    case "dict": return `{${items.map((pair) => `${pythonText((pair as unknown[])[0])}: ${pythonText((pair as unknown[])[1])}`).join(", ")}}`;
    case "complex": return `complex(${inside})`;
    case "bytes": case "bytearray": return `${$type} ${String(value)}`;
    default: return String(value);
  }
}

function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
}
