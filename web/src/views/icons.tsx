// The page's few pictures, drawn with the colour of the text around them.
const PATHS = {
  play: "M4.5 2.8v10.4L13 8z",
  back: "M11.500 2.800v10.400L3 8z",
  first: "M13 3v10L6 8zM3 3h2v10H3z",
  last: "M3 3v10l7-5zM11 3h2v10h-2z",
  stop: "M4 4h8v8H4z",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 4l4 4-4 4",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  people: "M6 7.5a2.3 2.3 0 100-4.6 2.3 2.3 0 000 4.6zM1.8 13c.3-2.5 2-3.8 4.2-3.8s3.9 1.3 4.2 3.8M10.5 3.2a2.2 2.2 0 010 4.2M12 9.5c1.300.6 2 1.700 2.2 3.500",
  share: "M11.5 5.500a2 2 0 100-4 2 2 0 000 4zM4.500 10a2 2 0 100-4 2 2 0 000 4zM11.500 14.500a2 2 0 100-4 2 2 0 000 4zM6.200 7l3.600-2.200M6.200 9l3.600 2.200",
  copy: "M5.500 5.500h7v8h-7zM3.500 10.500v-8h7",
  edit: "M3 13l.6-2.700L10.800 3.100l2.100 2.100L5.700 12.400z",
  trash: "M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500",
  eye: "M1.500 8S4 3.700 8 3.700 14.500 8 14.500 8 12 12.300 8 12.300 1.500 8 1.500 8zM8 9.800a1.800 1.800 0 100-3.600 1.800 1.800 0 000 3.600z",
  lens: "M7 11.500a4.500 4.500 0 100-9 4.500 4.500 0 000 9zM10.300 10.300L14 14",
  panel: "M2.500 3h11v10h-11zM9.500 3v10",
  help: "M5.800 6c0-1.300 1-2.100 2.200-2.100s2.200.8 2.200 2c0 1.500-2.100 1.600-2.100 3.200M8 11.900h.01",
  bell: "M8 2.200c-2.400 0-3.800 1.700-3.800 4v2.600L3 11h10l-1.200-2.200V6.200c0-2.300-1.400-4-3.800-4zM6.800 13h2.400",
  down: "M8 3v9.500M4 8.800l4 4 4-4",
  database: "M8 2.500c2.800 0 4.500.9 4.500 2s-1.700 2-4.500 2-4.500-.9-4.500-2 1.700-2 4.500-2zM3.500 4.500v7c0 1.100 1.700 2 4.500 2s4.500-.9 4.500-2v-7M3.500 8c0 1.100 1.700 2 4.500 2s4.500-.9 4.500-2",
  restart: "M3.200 8a4.800 4.800 0 108.300-3.300M11.800 1.800v3h-3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"
      fill={filled ? "currentColor" : "none"} stroke={filled ? "none" : "currentColor"}
      stroke-width={name === "more" ? "2.4" : "1.4"} stroke-linecap="round" stroke-linejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" fill="none">
      <circle cx="10" cy="10" r="8" stroke="var(--accent)" stroke-width="2.2" />
      <circle cx="10" cy="10" r="2.4" fill="var(--accent)" />
      <path d="M5.600 8.600A4.600 4.600 0 018.600 5.600" stroke="var(--accent)" stroke-width="1.400" stroke-linecap="round" />
    </svg>
  );
}
