// The wire counts Unicode code points, the editor UTF-16 units. Pure.

export function toCodePoints(text: string, units: number): number {
  let points = 0;
  for (let at = 0; at < units && at < text.length; points++) at += widthAt(text, at);
  return points;
}

export function toUnits(text: string, points: number): number {
  let at = 0;
  for (let count = 0; count < points && at < text.length; count++) at += widthAt(text, at);
  return at;
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
