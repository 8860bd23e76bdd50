import type { ComponentChildren, JSX } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <svg
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** The pages' and buttons' signs, by name; all are drawn here so that nothing is fetched. */
export const icons = {
  overview: (
    <Icon>
      <path d="M2 9.500 5 9.500 7 4 9.500 12.500 11 8.500 14 8.500" />
    </Icon>
  ),
  stores: (
    <Icon>
      <rect x="2.500" y="3" width="11" height="4" rx="1" />
      <rect x="2.500" y="9" width="11" height="4" rx="1" />
      <path d="M5 5h.01M5 11h.01" />
    </Icon>
  ),
  regions: (
    <Icon>
      <rect x="2.500" y="2.500" width="4.500" height="4.500" rx="1" />
      <rect x="9" y="2.500" width="4.500" height="4.500" rx="1" />
      <rect x="2.500" y="9" width="4.500" height="4.500" rx="1" />
      <rect x="9" y="9" width="4.500" height="4.500" rx="1" />
    </Icon>
  ),
  heat: (
    <Icon>
      <rect x="2.500" y="2.500" width="11" height="11" rx="1.500" />
      <path d="M2.500 6.200h11M2.500 9.800h11M6.200 2.500v11M9.800 2.500v11" />
    </Icon>
  ),
  operators: (
    <Icon>
      <path d="M3 5h8.500M9 2.500 11.500 5 9 7.500M13 11H4.500M7 8.500 4.500 11 7 13.500" />
    </Icon>
  ),
  schedulers: (
    <Icon>
      <circle cx="8" cy="8" r="5.500" />
      <path d="M8 5v3l2 1.500" />
    </Icon>
  ),
  events: (
    <Icon>
      <path d="M3 4h10M3 8h7M3 12h4" />
    </Icon>
  ),
  data: (
    <Icon>
      <ellipse cx="8" cy="4" rx="5" ry="1.800" />
      <path d="M3 4v8c0 1 2.200 1.800 5 1.800s5-.8 5-1.800V4M3 8c0 1 2.200 1.800 5 1.800S13 9 13 8" />
    </Icon>
  ),
  auto: (
    <Icon>
      <circle cx="8" cy="8" r="5.500" />
      <path d="M8 2.500a5.500 5.500 0 0 1 0 11z" fill="currentColor" />
    </Icon>
  ),
  light: (
    <Icon>
      <circle cx="8" cy="8" r="2.800" />
      <path d="M8 1.500v1.300M8 13.200v1.300M1.500 8h1.300M13.200 8h1.300M3.400 3.400l.9.9M11.700 11.700l.9.9M3.400 12.600l.9-.9M11.700 4.300l.9-.9" />
    </Icon>
  ),
  dark: (
    <Icon>
      <path d="M13 9.600A5.500 5.500 0 1 1 6.400 3a4.400 4.400 0 0 0 6.600 6.600z" />
    </Icon>
  ),
  help: (
    <Icon>
      <circle cx="8" cy="8" r="5.800" />
      <path d="M6.300 6.300a1.700 1.700 0 1 1 2.500 1.500c-.5.3-.8.6-.8 1.200M8 11.200h.01" />
    </Icon>
  ),
} as const;

/** The flame. */
export function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path
        d="M12 1.500c1 4.200 6.500 6.600 6.500 12.600A6.500 6.500 0 0 1 12 21.500a6.500 6.500 0 0 1-6.500-7c0-3 1.600-4.600 2.900-6.100.4 1.700 1.200 2.700 2.400 3.200C10.300 8 10.400 4.400 12 1.500z"
        fill="#f2600c"
      />
      <path
        d="M12 12.500c.5 1.900 2.700 2.700 2.700 5a2.700 2.700 0 0 1-5.400 0c0-2 2.300-2.900 2.700-5z"
        fill="#ffd9a8"
      />
    </svg>
  );
}
